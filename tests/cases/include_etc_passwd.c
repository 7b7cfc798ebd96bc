/* case: includes a file of the machine
 * expect: 422
 * stage: compile
 * says: /etc/passwd' file not found
 * line: 8
 */
#include <cweb.h>
#include "/etc/passwd"

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "include_etc_passwd",
    .author = "cases",
    .routes = {{"/case/include_etc_passwd", "GET", answer, NONE}},
    .size = 1,
};
