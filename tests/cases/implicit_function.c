/* case: a function that nobody declares
 * expect: 422
 * stage: compile
 * says: call to undeclared function 'current_user'
 * line: 11
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, current_user());
    return 0;
}

export module_t config = {
    .name = "implicit_function",
    .author = "cases",
    .routes = {{"/case/implicit_function", "GET", answer, NONE}},
    .size = 1,
};
