/* case: an onload that takes a parameter
 * expect: 422
 * stage: config
 * says: expected 'void (void)'
 * line: 21
 */
#include <cweb.h>

static void load(int n) { (void)n; }
static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "onload_with_parameter",
    .author = "cases",
    .routes = {{"/case/onload_with_parameter", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
};
