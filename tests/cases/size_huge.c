/* case: a number of routes that no table has
 * expect: 422
 * stage: config
 * says: `size` is
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "size_huge",
    .author = "cases",
    .routes = {{"/case/size_huge", "GET", answer, NONE}},
    .size = 1 << 30,
};
