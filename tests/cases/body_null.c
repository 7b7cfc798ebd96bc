/* case: a body that is NULL is empty
 * expect: 200
 * get: /case/body_null -> 200
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = NULL;
    return 0;
}

export module_t config = {
    .name = "body_null",
    .author = "cases",
    .routes = {{"/case/body_null", "GET", answer, NONE}},
    .size = 1,
};
