/* case: a method in lower case: methods are compared exactly
 * expect: 422
 * stage: config
 * says: has the method "get"
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "method_in_lower_case",
    .author = "cases",
    .routes = {{"/case/method_in_lower_case", "get", answer, NONE}},
    .size = 1,
};
