/* case: includes the environment of the process
 * expect: 422
 * stage: compile
 * says: /proc/self/environ' file not found
 * line: 8
 */
#include <cweb.h>
#include </proc/self/environ>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "include_proc",
    .author = "cases",
    .routes = {{"/case/include_proc", "GET", answer, NONE}},
    .size = 1,
};
