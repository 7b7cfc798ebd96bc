/* case: config is a pointer to a module_t
 * expect: 422
 * stage: config
 * says: expected 'module_t'
 * line: 20
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

static module_t module = {
    .name = "config_is_pointer",
    .routes = {{"/case/config_is_pointer", "GET", answer, NONE}},
    .size = 1,
};
export module_t *config = &module;
