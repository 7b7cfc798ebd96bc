/* case: the given body is freed before another is put in its place, as older modules do
 * expect: 200
 * get: /case/body_freed_first -> 200 my own
 * get: /case/body_freed_first -> 200 my own
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    free(res->body);
    res->body = malloc(16);
    strcpy(res->body, "my own\n");
    return 0;
}

export module_t config = {
    .name = "body_freed_first",
    .author = "cases",
    .routes = {{"/case/body_freed_first", "GET", answer, NONE}},
    .size = 1,
};
