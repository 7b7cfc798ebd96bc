/* case: embeds a file of the machine
 * expect: 422
 * stage: compile
 * says: /etc/passwd
 * line: 10
 */
#include <cweb.h>

static const char users[] = {
#embed "/etc/passwd"
};

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = (char *)users;
    return 0;
}

export module_t config = {
    .name = "embed_etc_passwd",
    .author = "cases",
    .routes = {{"/case/embed_etc_passwd", "GET", answer, NONE}},
    .size = 1,
};
