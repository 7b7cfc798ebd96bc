/* case: includes itself without end
 * expect: 422
 * stage: compile
 * says: 'module.c' file not found
 * line: 8
 */
#include <cweb.h>
#include __FILE__

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "include_itself",
    .author = "cases",
    .routes = {{"/case/include_itself", "GET", answer, NONE}},
    .size = 1,
};
