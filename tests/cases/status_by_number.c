/* case: a status by its number
 * expect: 200
 * get: /case/status_by_number -> 418 teapot
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->status = 418;
    strcpy(res->body, "teapot\n");
    return 0;
}

export module_t config = {
    .name = "status_by_number",
    .author = "cases",
    .routes = {{"/case/status_by_number", "GET", answer, NONE}},
    .size = 1,
};
