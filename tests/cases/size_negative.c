/* case: a negative number of routes
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
    .name = "size_negative",
    .author = "cases",
    .routes = {{"/case/size_negative", "GET", answer, NONE}},
    .size = -1,
};
