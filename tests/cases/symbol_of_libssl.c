/* case: a function of a library that modules are not given
 * expect: 422
 * stage: link
 * says: SSL_CTX_new
 * line: 13
 */
#include <cweb.h>

void *SSL_CTX_new(const void *);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (SSL_CTX_new(NULL) == NULL) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_of_libssl",
    .author = "cases",
    .routes = {{"/case/symbol_of_libssl", "GET", answer, NONE}},
    .size = 1,
};
