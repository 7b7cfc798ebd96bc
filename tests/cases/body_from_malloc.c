/* case: a body from malloc, longer than the buffer
 * expect: 200
 * get: /case/body_from_malloc -> 200 end
 * get: /case/body_from_malloc -> 200 end
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = malloc(100001);
    memset(res->body, 'x', 100000);
    strcpy(res->body + 99994, " end\n");
    return 0;
}

export module_t config = {
    .name = "body_from_malloc",
    .author = "cases",
    .routes = {{"/case/body_from_malloc", "GET", answer, NONE}},
    .size = 1,
};
