/* case: an asm label that carries a directive
 * expect: 422
 * stage: compile
 * says: asm label
 * line: 9
 */
#include <cweb.h>

extern int users __asm__("x\n.incbin \"/etc/passwd\"\ny");

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d\n", users);
    return 0;
}

export module_t config = {
    .name = "asm_label",
    .author = "cases",
    .routes = {{"/case/asm_label", "GET", answer, NONE}},
    .size = 1,
};
