/* case: loading a library past the symbol policy
 * expect: 422
 * stage: link
 * says: dlopen
 * line: 13
 */
#include <cweb.h>

#include <dlfcn.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (dlopen("libssl.so.3", RTLD_NOW) == NULL) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_dlopen",
    .author = "cases",
    .routes = {{"/case/symbol_dlopen", "GET", answer, NONE}},
    .size = 1,
};
