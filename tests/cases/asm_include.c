/* case: lets the assembler include a file, inside a function
 * expect: 422
 * stage: compile
 * says: .include
 * line: 11
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    __asm__ volatile(".inc" "lude \"/etc/passwd\"");
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "asm_include",
    .author = "cases",
    .routes = {{"/case/asm_include", "GET", answer, NONE}},
    .size = 1,
};
