/* case: an onload that calls abort
 * expect: 422
 * stage: onload
 * says: onload did not return: the module called abort() at module.c:8
 */
#include <cweb.h>

static void load(void) { abort(); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "onload_aborts",
    .author = "cases",
    .routes = {{"/case/onload_aborts", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
};
