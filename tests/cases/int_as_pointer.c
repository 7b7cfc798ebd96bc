/* case: a number is used as a pointer
 * expect: 422
 * stage: compile
 * says: incompatible integer to pointer conversion
 * line: 11
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = 42;
    return 0;
}

export module_t config = {
    .name = "int_as_pointer",
    .author = "cases",
    .routes = {{"/case/int_as_pointer", "GET", answer, NONE}},
    .size = 1,
};
