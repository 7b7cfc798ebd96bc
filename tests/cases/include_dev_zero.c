/* case: includes a device that never ends
 * expect: 422
 * stage: compile
 * says: /dev/zero' file not found
 * line: 8
 */
#include <cweb.h>
#include </dev/zero>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "include_dev_zero",
    .author = "cases",
    .routes = {{"/case/include_dev_zero", "GET", answer, NONE}},
    .size = 1,
};
