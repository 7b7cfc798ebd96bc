/* case: <http.h> alone brings all of cweb.h
 * expect: 200
 * get: /case/header_http -> 200 here
 */
#include <http.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "header_http",
    .author = "cases",
    .routes = {{"/case/header_http", "GET", answer, NONE}},
    .size = 1,
};
