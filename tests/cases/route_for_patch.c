/* case: a route for PATCH alone
 * expect: 200
 * get: /case/route_for_patch -> 405 this path does not have this method
 */
#include <cweb.h>

static int change(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d\n", req->method == HTTP_PATCH);
    return 0;
}

export module_t config = {
    .name = "route_for_patch",
    .author = "cases",
    .routes = {{"/case/route_for_patch", "PATCH", change, NONE}},
    .size = 1,
};
