/* case: a method that HTTP does not have
 * expect: 422
 * stage: config
 * says: has the method "FETCH": expected one of GET
 * line: 18
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "method_unknown",
    .author = "cases",
    .routes = {{"/case/method_unknown", "FETCH", answer, NONE}},
    .size = 1,
};
