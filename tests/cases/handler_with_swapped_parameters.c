/* case: a handler that takes response and request
 * expect: 422
 * stage: config
 * says: expected 'int (struct http_request *, struct http_response *)'
 * line: 14
 */
#include <cweb.h>

static int answer(struct http_response *res, struct http_request *req) { return res->content_length + req->close; }

export module_t config = {
    .name = "handler_with_swapped_parameters",
    .author = "cases",
    .routes = {{"/case/handler_with_swapped_parameters", "GET", answer, NONE}},
    .size = 1,
};
