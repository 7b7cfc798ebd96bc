/* case: a handler that takes its context last
 * expect: 422
 * stage: config
 * says: expected 'int (struct http_request *, struct http_response *)' or 'int (struct cweb_context *, struct http_request *, struct http_response *)'
 * line: 17
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res, struct cweb_context *context) {
    (void)res;
    return context == NULL || req->close;
}

export module_t config = {
    .name = "handler_with_context_behind",
    .author = "cases",
    .routes = {{"/case/handler_with_context_behind", "GET", answer, NONE}},
    .size = 1,
};
