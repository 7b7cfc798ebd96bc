/* case: a comment that never ends
 * expect: 422
 * stage: compile
 * says: unterminated /* comment
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

/* the rest is silence

export module_t config = {
    .name = "unterminated_comment",
    .author = "cases",
    .routes = {{"/case/unterminated_comment", "GET", answer, NONE}},
    .size = 1,
};
