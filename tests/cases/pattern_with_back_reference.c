/* case: a pattern that cannot be matched in linear time
 * expect: 422
 * stage: routes
 * says: invalid escape sequence
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "pattern_with_back_reference",
    .author = "cases",
    .routes = {{"/case/pattern_with_back_reference/(a)\\1", "GET", answer, NONE}},
    .size = 1,
};
