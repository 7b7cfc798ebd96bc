/* case: a variable that nobody declares
 * expect: 422
 * stage: compile
 * says: use of undeclared identifier 'visits'
 * line: 11
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d\n", visits);
    return 0;
}

export module_t config = {
    .name = "undefined_variable",
    .author = "cases",
    .routes = {{"/case/undefined_variable", "GET", answer, NONE}},
    .size = 1,
};
