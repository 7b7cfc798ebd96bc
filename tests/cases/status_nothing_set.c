/* case: a handler that sets nothing answers 200
 * expect: 200
 * get: /case/status_nothing_set -> 200
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) { return req == NULL || res == NULL; }

export module_t config = {
    .name = "status_nothing_set",
    .author = "cases",
    .routes = {{"/case/status_nothing_set", "GET", answer, NONE}},
    .size = 1,
};
