/* case: a path with a fragment
 * expect: 422
 * stage: config
 * says: the query is not part of a path
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "path_with_fragment",
    .author = "cases",
    .routes = {{"/case/path_with_fragment#top", "GET", answer, NONE}},
    .size = 1,
};
