/* case: an onload that takes longer than the deploy waits
 * expect: 422
 * stage: onload
 * says: onload did not return within 10 s
 */
#include <cweb.h>
#include <unistd.h>

static void load(void) { sleep(11); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "onload_slow",
    .author = "cases",
    .routes = {{"/case/onload_slow", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
};
