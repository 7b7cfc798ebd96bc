/* case: a name with two dots inside
 * expect: 422
 * stage: config
 * says: reads like a path
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "a..b",
    .author = "cases",
    .routes = {{"/case/name_with_two_dots_inside", "GET", answer, NONE}},
    .size = 1,
};
