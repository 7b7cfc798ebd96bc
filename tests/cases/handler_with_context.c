/* case: a handler that takes a context first
 * expect: 422
 * stage: config
 * says: struct cweb_context *
 * line: 17
 */
#include <cweb.h>

struct cweb_context;
static int answer(struct cweb_context *context, struct http_request *req, struct http_response *res) {
    return context == NULL || req->close || res->content_length;
}

export module_t config = {
    .name = "handler_with_context",
    .author = "cases",
    .routes = {{"/case/handler_with_context", "GET", answer, NONE}},
    .size = 1,
};
