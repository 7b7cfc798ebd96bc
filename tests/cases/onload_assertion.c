/* case: an onload whose assertion fails
 * expect: 422
 * stage: onload
 * says: assertion `ready' failed at module.c:11
 */
#include <assert.h>
#include <cweb.h>

static int ready;

static void load(void) { assert(ready); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "onload_assertion",
    .author = "cases",
    .routes = {{"/case/onload_assertion", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
};
