/* case: a pointer of another type is assigned
 * expect: 422
 * stage: compile
 * says: incompatible pointer types
 * line: 13
 */
#include <cweb.h>

static int numbers[4];

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = numbers;
    return 0;
}

export module_t config = {
    .name = "incompatible_pointers",
    .author = "cases",
    .routes = {{"/case/incompatible_pointers", "GET", answer, NONE}},
    .size = 1,
};
