/* case: two objects that are too large together
 * expect: 422
 * stage: compile
 * says: static storage comes to
 * line: 10
 */
#include <cweb.h>

static char a[40 << 20];
static char b[40 << 20];

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    a[0] = b[1];
    strcpy(res->body, a);
    return 0;
}

export module_t config = {
    .name = "static_data_too_large_together",
    .author = "cases",
    .routes = {{"/case/static_data_too_large_together", "GET", answer, NONE}},
    .size = 1,
};
