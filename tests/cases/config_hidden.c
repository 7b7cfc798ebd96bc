/* case: config has hidden visibility
 * expect: 422
 * stage: config
 * says: `config` is hidden
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

__attribute__((visibility("hidden"))) module_t config = {
    .name = "config_hidden",
    .author = "cases",
    .routes = {{"/case/config_hidden", "GET", answer, NONE}},
    .size = 1,
};
