/* case: a function of the server's allocator
 * expect: 422
 * stage: link
 * says: mallctl
 * line: 13
 */
#include <cweb.h>

int mallctl(const char *, void *, size_t *, void *, size_t);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (mallctl("epoch", NULL, NULL, NULL, 0) != 0) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_of_allocator",
    .author = "cases",
    .routes = {{"/case/symbol_of_allocator", "GET", answer, NONE}},
    .size = 1,
};
