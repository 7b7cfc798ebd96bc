/* case: a weak symbol that is not there is null
 * expect: 200
 * get: /case/weak_undefined -> 200 null
 */
#include <cweb.h>

int maybe_there(void) __attribute__((weak));

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, maybe_there == NULL ? "null\n" : "there\n");
    return 0;
}

export module_t config = {
    .name = "weak_undefined",
    .author = "cases",
    .routes = {{"/case/weak_undefined", "GET", answer, NONE}},
    .size = 1,
};
