/* case: a body that is a literal
 * expect: 200
 * get: /case/body_literal -> 200 a literal
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = (char *)"a literal\n";
    return 0;
}

export module_t config = {
    .name = "body_literal",
    .author = "cases",
    .routes = {{"/case/body_literal", "GET", answer, NONE}},
    .size = 1,
};
