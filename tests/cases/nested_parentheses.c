/* case: a thousand nested parentheses, out of macros
 * expect: 422
 * stage: compile
 * says: bracket nesting level exceeded
 * line: 14
 */
#include <cweb.h>

#define P10(x) ((((((((((x))))))))))
#define P100(x) P10(P10(P10(P10(P10(P10(P10(P10(P10(P10(x))))))))))
#define Q100(x) P100(x)
#define R100(x) Q100(x)

static const int deep = R100(Q100(P100(1)));

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d\n", deep);
    return 0;
}

export module_t config = {
    .name = "nested_parentheses",
    .author = "cases",
    .routes = {{"/case/nested_parentheses", "GET", answer, NONE}},
    .size = 1,
};
