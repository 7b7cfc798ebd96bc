/* case: a path below /mgnt
 * expect: 409
 * stage: routes
 * says: is reserved
 * says: /mgnt
 * line: 19
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "route_below_mgnt",
    .author = "cases",
    .routes = {{"/mgnt/modules/x", "GET", answer, NONE}},
    .size = 1,
};
