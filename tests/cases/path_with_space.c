/* case: a path with spaces
 * expect: 422
 * stage: config
 * says: no request has a space
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "path_with_space",
    .author = "cases",
    .routes = {{"/case/path with space", "GET", answer, NONE}},
    .size = 1,
};
