/* case: config is static
 * expect: 422
 * stage: config
 * says: `config` is static
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

static module_t config = {
    .name = "config_static",
    .author = "cases",
    .routes = {{"/case/config_static", "GET", answer, NONE}},
    .size = 1,
};
