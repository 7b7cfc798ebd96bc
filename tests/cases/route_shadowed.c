/* case: a literal behind a pattern that covers it: the pattern answers, and the report says so
 * expect: 200
 * says: is never reached
 * get: /case/route_shadowed/a -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

static int other(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "other\n");
    return 0;
}

export module_t config = {
    .name = "route_shadowed",
    .author = "cases",
    .routes = {
        {"/case/route_shadowed/.*", "GET", answer, NONE},
        {"/case/route_shadowed/a", "GET", other, NONE},
    },
    .size = 2,
};
