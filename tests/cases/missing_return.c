/* case: a handler that returns nothing
 * expect: 422
 * stage: compile
 * says: non-void function does not return a value
 * line: 12
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
}

export module_t config = {
    .name = "missing_return",
    .author = "cases",
    .routes = {{"/case/missing_return", "GET", answer, NONE}},
    .size = 1,
};
