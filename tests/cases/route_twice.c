/* case: one route given twice: the first row answers, and the report says so
 * expect: 200
 * says: is given twice
 * get: /case/route_twice -> 200 here
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
    .name = "route_twice",
    .author = "cases",
    .routes = {
        {"/case/route_twice", "GET", answer, NONE},
        {"/case/route_twice", "GET", other, NONE},
    },
    .size = 2,
};
