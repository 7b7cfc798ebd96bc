/* case: a response header with a line end is not sent
 * expect: 200
 * get: /case/header_with_line_end -> 500
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    map_insert(res->headers, "X-Name", (void *)"a\r\nSet-Cookie: b=c");
    strcpy(res->body, "sent\n");
    return 0;
}

export module_t config = {
    .name = "header_with_line_end",
    .author = "cases",
    .routes = {{"/case/header_with_line_end", "GET", answer, NONE}},
    .size = 1,
};
