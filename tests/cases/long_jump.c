/* case: setjmp and longjmp inside a handler
 * expect: 200
 * get: /case/long_jump -> 200 rounds 3
 */
#include <cweb.h>
#include <setjmp.h>

static _Thread_local jmp_buf back;

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    volatile int rounds = 0;
    if (setjmp(back) < 3) {
        ++rounds;
        longjmp(back, rounds);
    }
    snprintf(res->body, HTTP_RESPONSE_SIZE, "rounds %d\n", rounds);
    return 0;
}

export module_t config = {
    .name = "long_jump",
    .author = "cases",
    .routes = {{"/case/long_jump", "GET", answer, NONE}},
    .size = 1,
};
