/* case: a handler out of a variable
 * expect: 422
 * stage: compile
 * says: not a compile-time constant
 * line: 15
 */
#include <cweb.h>

static int pick(struct http_request *req, struct http_response *res) { return req->close + res->content_length; }
static entry_t answer = pick;

export module_t config = {
    .name = "handler_is_a_variable",
    .author = "cases",
    .routes = {{"/case/handler_is_a_variable", "GET", answer, NONE}},
    .size = 1,
};
