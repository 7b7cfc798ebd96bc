/* case: a pattern is matched against the whole path
 * expect: 200
 * get: /case/route_pattern/42 -> 200 here
 * get: /case/route_pattern/42x -> 404 no module has this path
 * get: /case/route_pattern/ -> 404 no module has this path
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "route_pattern",
    .author = "cases",
    .routes = {{"/case/route_pattern/[0-9]+", "GET", answer, NONE}},
    .size = 1,
};
