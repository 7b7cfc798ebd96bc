/* case: a const page as body: a warning, and it works
 * expect: 200
 * says: discards qualifiers
 * get: /case/const_body -> 200 a page
 */
#include <cweb.h>

static const char *page = "a page\n";

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = page;
    return 0;
}

export module_t config = {
    .name = "const_body",
    .author = "cases",
    .routes = {{"/case/const_body", "GET", answer, NONE}},
    .size = 1,
};
