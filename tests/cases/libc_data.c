/* case: objects of libc: standard streams, the environment, errno
 * expect: 200
 * get: /case/libc_data -> 200 0 1 1 1
 */
#include <cweb.h>
#include <errno.h>
#include <unistd.h>

extern char **environ;

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    fprintf(stderr, "a line of a module on standard error\n");
    const int flushed = fflush(stdout);
    errno = 0;
    const double huge = strtod("1e999", NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %d %d %d\n", flushed, environ != NULL, errno == ERANGE, huge > 1e300);
    return 0;
}

export module_t config = {
    .name = "libc_data",
    .author = "cases",
    .routes = {{"/case/libc_data", "GET", answer, NONE}},
    .size = 1,
};
