/* case: a module without an author
 * expect: 200
 * get: /case/author_missing -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "author_missing",
    .routes = {{"/case/author_missing", "GET", answer, NONE}},
    .size = 1,
};
