/* case: a handler that takes the request alone
 * expect: 422
 * stage: config
 * says: expected 'int (struct http_request *, struct http_response *)'
 * line: 14
 */
#include <cweb.h>

static int answer(struct http_request *req) { return req->close; }

export module_t config = {
    .name = "handler_without_response",
    .author = "cases",
    .routes = {{"/case/handler_without_response", "GET", answer, NONE}},
    .size = 1,
};
