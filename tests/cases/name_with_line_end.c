/* case: a name with a line end
 * expect: 422
 * stage: config
 * says: a\x0ab
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "a\nb",
    .author = "cases",
    .routes = {{"/case/name_with_line_end", "GET", answer, NONE}},
    .size = 1,
};
