/* case: a #warning is shown and the module deployed
 * expect: 200
 * says: the prices are from last year
 * get: /case/warning_directive -> 200 here
 */
#include <cweb.h>

#warning the prices are from last year

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "warning_directive",
    .author = "cases",
    .routes = {{"/case/warning_directive", "GET", answer, NONE}},
    .size = 1,
};
