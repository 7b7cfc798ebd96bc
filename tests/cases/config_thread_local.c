/* case: config is thread-local
 * expect: 422
 * stage: config
 * says: thread-local
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export _Thread_local module_t config = {
    .name = "config_thread_local",
    .author = "cases",
    .routes = {{"/case/config_thread_local", "GET", answer, NONE}},
    .size = 1,
};
