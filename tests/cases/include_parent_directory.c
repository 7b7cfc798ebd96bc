/* case: includes a file above the module
 * expect: 422
 * stage: compile
 * says: ../../x' file not found
 * line: 8
 */
#include <cweb.h>
#include "../../x"

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "include_parent_directory",
    .author = "cases",
    .routes = {{"/case/include_parent_directory", "GET", answer, NONE}},
    .size = 1,
};
