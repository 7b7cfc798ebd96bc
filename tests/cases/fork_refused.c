/* case: fork and exec make no process
 * expect: 200
 * get: /case/fork_refused -> 200 -1 -1
 */
#include <cweb.h>
#include <unistd.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const pid_t child = fork();
    if (child == 0) _exit(0);
    const int ran = execlp("true", "true", (char *)NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %d\n", (int)child, ran);
    return 0;
}

export module_t config = {
    .name = "fork_refused",
    .author = "cases",
    .routes = {{"/case/fork_refused", "GET", answer, NONE}},
    .size = 1,
};
