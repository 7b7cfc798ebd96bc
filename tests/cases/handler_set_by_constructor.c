/* case: a handler that is put in while the module runs, where nobody can check its type
 * expect: 422
 * stage: config
 * says: where its type cannot be checked
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "handler_set_by_constructor",
    .routes = {{"/case/handler_set_by_constructor", "GET", NULL, NONE}},
    .size = 1,
};

__attribute__((constructor)) static void fill(void) { config.routes[0].handler = answer; }
