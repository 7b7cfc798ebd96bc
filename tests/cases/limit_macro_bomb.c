/* case: a macro that expands to ten thousand million terms
 * expect: 422
 * stage: compile
 * says: expands to too much
 */
#include <cweb.h>

#define A0(x) +1
#define A1(x) A0(x) A0(x) A0(x) A0(x) A0(x) A0(x) A0(x) A0(x) A0(x) A0(x)
#define A2(x) A1(x) A1(x) A1(x) A1(x) A1(x) A1(x) A1(x) A1(x) A1(x) A1(x)
#define A3(x) A2(x) A2(x) A2(x) A2(x) A2(x) A2(x) A2(x) A2(x) A2(x) A2(x)
#define A4(x) A3(x) A3(x) A3(x) A3(x) A3(x) A3(x) A3(x) A3(x) A3(x) A3(x)
#define A5(x) A4(x) A4(x) A4(x) A4(x) A4(x) A4(x) A4(x) A4(x) A4(x) A4(x)
#define A6(x) A5(x) A5(x) A5(x) A5(x) A5(x) A5(x) A5(x) A5(x) A5(x) A5(x)
#define A7(x) A6(x) A6(x) A6(x) A6(x) A6(x) A6(x) A6(x) A6(x) A6(x) A6(x)
#define A8(x) A7(x) A7(x) A7(x) A7(x) A7(x) A7(x) A7(x) A7(x) A7(x) A7(x)
#define A9(x) A8(x) A8(x) A8(x) A8(x) A8(x) A8(x) A8(x) A8(x) A8(x) A8(x)
#define A10(x) A9(x) A9(x) A9(x) A9(x) A9(x) A9(x) A9(x) A9(x) A9(x) A9(x)

static const long terms = 0 A10(1);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%ld\n", terms);
    return 0;
}

export module_t config = {
    .name = "limit_macro_bomb",
    .author = "cases",
    .routes = {{"/case/limit_macro_bomb", "GET", answer, NONE}},
    .size = 1,
};
