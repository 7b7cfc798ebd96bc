/* case: thread-local variables begin with their initial value
 * expect: 200
 * get: /case/thread_local -> 200 42 local
 * get: /case/thread_local -> 200 42 local
 */
#include <cweb.h>

static _Thread_local int start = 41;
static _Thread_local int zero;
static _Thread_local const char *text = "local";

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %s\n", start + (zero == 0 ? ++zero : 1), text);
    return 0;
}

export module_t config = {
    .name = "thread_local",
    .author = "cases",
    .routes = {{"/case/thread_local", "GET", answer, NONE}},
    .size = 1,
};
