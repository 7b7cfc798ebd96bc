/* case: signals of the server are not a module's to handle or to send
 * expect: 200
 * get: /case/signals_refused/end -> 500
 * get: /case/signals_refused/end?kill -> 500
 * get: /case/signals_refused -> 200 refused 1
 */
#include <cweb.h>
#include <signal.h>
#include <unistd.h>

static int end_it(struct http_request *req, struct http_response *res) {
    (void)res;
    if (map_size(req->params) == 0) raise(SIGTERM);
    return kill(getpid(), SIGKILL);
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const int refused = signal(SIGSEGV, SIG_IGN) == SIG_ERR;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "refused %d\n", refused);
    return 0;
}

export module_t config = {
    .name = "signals_refused",
    .author = "cases",
    .routes = {
        {"/case/signals_refused", "GET", answer, NONE},
        {"/case/signals_refused/end", "GET", end_it, NONE},
    },
    .size = 2,
};
