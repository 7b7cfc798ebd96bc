/* case: an empty method
 * expect: 422
 * stage: config
 * says: has the method ""
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "method_empty",
    .author = "cases",
    .routes = {{"/case/method_empty", "", answer, NONE}},
    .size = 1,
};
