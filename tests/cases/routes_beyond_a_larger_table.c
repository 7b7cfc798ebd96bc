/* case: one route more than the larger table has
 * expect: 422
 * stage: config
 * says: `size` is 65
 */
#define CWEB_MAX_ROUTES 64
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "routes_beyond_a_larger_table",
    .author = "cases",
    .routes = {{"/case/routes_beyond_a_larger_table", "GET", answer, NONE}},
    .size = 65,
};
