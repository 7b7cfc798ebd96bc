/* case: a handler that takes a context first
 * expect: 200
 * get: /case/handler_with_context -> 200 here
 */
#include <cweb.h>

static int answer(struct cweb_context *context, struct http_request *req, struct http_response *res) {
    if (context == NULL || req->method != HTTP_GET) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "handler_with_context",
    .author = "cases",
    .routes = {{"/case/handler_with_context", "GET", answer, NONE}},
    .size = 1,
};
