/* case: generates an assembler directive with an assembler macro
 * expect: 422
 * stage: compile
 * says: .macro
 * line: 9
 */
#include <cweb.h>

__asm__(".macro reader name\n.inc\\name \"/etc/passwd\"\n.endm\nreader bin\n");

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "asm_macro",
    .author = "cases",
    .routes = {{"/case/asm_macro", "GET", answer, NONE}},
    .size = 1,
};
