/* case: a declaration without a type
 * expect: 422
 * stage: compile
 * says: type specifier missing
 * line: 9
 */
#include <cweb.h>

static counter;
static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "implicit_int",
    .author = "cases",
    .routes = {{"/case/implicit_int", "GET", answer, NONE}},
    .size = 1,
};
