/* case: ordinary inline assembly
 * expect: 200
 * get: /case/asm_plain -> 200 sum 42
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    unsigned sum = 40;
    __asm__("addl %1, %0" : "+r"(sum) : "r"(2u));
    snprintf(res->body, HTTP_RESPONSE_SIZE, "sum %u\n", sum);
    return 0;
}

export module_t config = {
    .name = "asm_plain",
    .author = "cases",
    .routes = {{"/case/asm_plain", "GET", answer, NONE}},
    .size = 1,
};
