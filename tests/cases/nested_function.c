/* case: a function inside a function, which GCC alone understands
 * expect: 422
 * stage: compile
 * says: function definition is not allowed here
 * line: 10
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    int twice(int n) { return 2 * n; }
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d\n", twice(2));
    return 0;
}

export module_t config = {
    .name = "nested_function",
    .author = "cases",
    .routes = {{"/case/nested_function", "GET", answer, NONE}},
    .size = 1,
};
