/* case: tracing processes from a module
 * expect: 422
 * stage: link
 * says: ptrace
 * line: 13
 */
#include <cweb.h>

#include <sys/ptrace.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_ptrace",
    .author = "cases",
    .routes = {{"/case/symbol_ptrace", "GET", answer, NONE}},
    .size = 1,
};
