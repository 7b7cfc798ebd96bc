/* case: a handler that takes a number and returns nothing
 * expect: 422
 * stage: config
 * says: handler `answer` of route GET /case/handler_of_another_type has type 'void (int)'
 * says: expected 'int (struct http_request *, struct http_response *)'
 * line: 15
 */
#include <cweb.h>

static void answer(int n) { (void)n; }

export module_t config = {
    .name = "handler_of_another_type",
    .author = "cases",
    .routes = {{"/case/handler_of_another_type", "GET", answer, NONE}},
    .size = 1,
};
