/* case: an empty path
 * expect: 422
 * stage: config
 * says: paths begin with '/'
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "path_empty",
    .author = "cases",
    .routes = {{"", "GET", answer, NONE}},
    .size = 1,
};
