/* case: size counts a row that nobody wrote
 * expect: 422
 * stage: config
 * says: routes[1] has no path
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "row_behind_the_last",
    .author = "cases",
    .routes = {{"/case/row_behind_the_last", "GET", answer, NONE}},
    .size = 2,
};
