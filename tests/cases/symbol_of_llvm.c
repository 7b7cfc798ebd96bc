/* case: a function of the compiler inside the server
 * expect: 422
 * stage: link
 * says: LLVMContextCreate
 * line: 13
 */
#include <cweb.h>

void *LLVMContextCreate(void);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (LLVMContextCreate() == NULL) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_of_llvm",
    .author = "cases",
    .routes = {{"/case/symbol_of_llvm", "GET", answer, NONE}},
    .size = 1,
};
