/* case: unload with empty parentheses, as older modules write it
 * expect: 200
 * get: /case/unload_in_old_style -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

void unload() {}

export module_t config = {
    .name = "unload_in_old_style",
    .author = "cases",
    .routes = {{"/case/unload_in_old_style", "GET", answer, NONE}},
    .size = 1,
    .unload = unload,
};
