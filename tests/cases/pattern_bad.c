/* case: a pattern whose bracket never closes
 * expect: 422
 * stage: routes
 * says: missing
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "pattern_bad",
    .author = "cases",
    .routes = {{"/case/pattern_bad/(", "GET", answer, NONE}},
    .size = 1,
};
