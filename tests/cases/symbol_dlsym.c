/* case: looking a symbol up past the symbol policy
 * expect: 422
 * stage: link
 * says: dlsym
 * line: 13
 */
#include <cweb.h>

void *dlsym(void *, const char *);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (dlsym(NULL, "main") == NULL) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_dlsym",
    .author = "cases",
    .routes = {{"/case/symbol_dlsym", "GET", answer, NONE}},
    .size = 1,
};
