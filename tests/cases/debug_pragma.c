/* case: a pragma that makes Clang crash on purpose
 * expect: 200
 * get: /case/debug_pragma -> 200 here
 */
#include <cweb.h>

#pragma clang __debug crash
#pragma clang __debug llvm_fatal_error
#pragma clang __debug overflow_stack

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "debug_pragma",
    .author = "cases",
    .routes = {{"/case/debug_pragma", "GET", answer, NONE}},
    .size = 1,
};
