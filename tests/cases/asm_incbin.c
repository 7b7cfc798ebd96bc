/* case: lets the assembler read a file
 * expect: 422
 * stage: compile
 * says: .incbin
 * line: 9
 */
#include <cweb.h>

__asm__(".globl users\nusers:\n.incbin \"/etc/passwd\"\n");
extern char users[];

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = users;
    return 0;
}

export module_t config = {
    .name = "asm_incbin",
    .author = "cases",
    .routes = {{"/case/asm_incbin", "GET", answer, NONE}},
    .size = 1,
};
