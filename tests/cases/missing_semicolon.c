/* case: a semicolon is missing
 * expect: 422
 * stage: compile
 * says: expected ';'
 * line: 11
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here")
    return 0;
}

export module_t config = {
    .name = "missing_semicolon",
    .author = "cases",
    .routes = {{"/case/missing_semicolon", "GET", answer, NONE}},
    .size = 1,
};
