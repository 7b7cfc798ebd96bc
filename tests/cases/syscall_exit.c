/* case: syscall() ends the call where it would end the server, and does the rest
 * expect: 200
 * get: /case/syscall_exit/exit -> 500 exit(1)
 * get: /case/syscall_exit/signal -> 500 the module raised signal 11
 * get: /case/syscall_exit -> 200 -1 1
 */
#define _GNU_SOURCE
#include <cweb.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static int end(struct http_request *req, struct http_response *res) {
    (void)req;
    (void)res;
    return (int)syscall(SYS_exit_group, 1);
}

static int send_signal(struct http_request *req, struct http_response *res) {
    (void)req;
    (void)res;
    return (int)syscall(SYS_tgkill, getpid(), gettid(), SIGSEGV);
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const long forked = syscall(SYS_fork);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%ld %d\n", forked, syscall(SYS_gettid) == gettid());
    return 0;
}

export module_t config = {
    .name = "syscall_exit",
    .author = "cases",
    .routes = {
        {"/case/syscall_exit", "GET", answer, NONE},
        {"/case/syscall_exit/exit", "GET", end, NONE},
        {"/case/syscall_exit/signal", "GET", send_signal, NONE},
    },
    .size = 3,
};
