/* case: content_length says more than the block at body holds
 * expect: 200
 * get: /case/body_longer_than_its_block -> 500
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = malloc(16);
    memset(res->body, 0, 16);
    res->content_length = 1000000;
    return 0;
}

export module_t config = {
    .name = "body_longer_than_its_block",
    .author = "cases",
    .routes = {{"/case/body_longer_than_its_block", "GET", answer, NONE}},
    .size = 1,
};
