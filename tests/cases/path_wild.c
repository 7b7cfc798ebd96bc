/* case: a path that points nowhere
 * expect: 422
 * stage: config
 * says: not a text of the module
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "path_wild",
    .author = "cases",
    .routes = {{(const char *)64, "GET", answer, NONE}},
    .size = 1,
};
