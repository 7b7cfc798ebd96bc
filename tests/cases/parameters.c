/* case: query parameters are decoded, and the path is without them
 * expect: 200
 * get: /case/parameters?name=a%20b+c&x -> 200 /case/parameters [a b c] 2
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const char *name = map_get(req->params, "name");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s [%s] %zu\n", req->path, name, map_size(req->params));
    return 0;
}

export module_t config = {
    .name = "parameters",
    .author = "cases",
    .routes = {{"/case/parameters", "GET", answer, NONE}},
    .size = 1,
};
