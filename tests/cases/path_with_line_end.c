/* case: a path with a line end
 * expect: 422
 * stage: config
 * says: no request has a space or a control character
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "path_with_line_end",
    .author = "cases",
    .routes = {{"/case/path_with_line_end\r\n", "GET", answer, NONE}},
    .size = 1,
};
