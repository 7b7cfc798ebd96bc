/* case: config is const, which is as good
 * expect: 200
 * get: /case/config_const -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export const module_t config = {
    .name = "config_const",
    .author = "cases",
    .routes = {{"/case/config_const", "GET", answer, NONE}},
    .size = 1,
};
