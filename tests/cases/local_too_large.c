/* case: a local object that no stack can hold
 * expect: 422
 * stage: compile
 * says: the limit for one object
 * line: 11
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    char page[1 << 30] = {1};
    res->content_length = page[1];
    return 0;
}

export module_t config = {
    .name = "local_too_large",
    .author = "cases",
    .routes = {{"/case/local_too_large", "GET", answer, NONE}},
    .size = 1,
};
