/* case: paths that only look like those of the management calls
 * expect: 200
 * get: /case/routes_near_mgnt/mgnt -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "routes_near_mgnt",
    .author = "cases",
    .routes = {{"/mgntx", "GET", answer, NONE}, {"/case/routes_near_mgnt/mgnt", "GET", answer, NONE}},
    .size = 2,
};
