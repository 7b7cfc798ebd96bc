/* case: an object that is declared and nowhere defined
 * expect: 422
 * stage: link
 * says: visits
 * line: 13
 */
#include <cweb.h>

extern int visits;

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (visits == 0) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "undefined_object",
    .author = "cases",
    .routes = {{"/case/undefined_object", "GET", answer, NONE}},
    .size = 1,
};
