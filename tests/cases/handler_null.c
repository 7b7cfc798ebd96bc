/* case: a route without a handler
 * expect: 422
 * stage: config
 * says: has no handler
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "handler_null",
    .author = "cases",
    .routes = {{"/case/handler_null", "GET", NULL, NONE}},
    .size = 1,
};
