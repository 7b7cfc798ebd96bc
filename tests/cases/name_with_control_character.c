/* case: a name that rings the bell
 * expect: 422
 * stage: config
 * says: other than printable ASCII
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "a\x07",
    .author = "cases",
    .routes = {{"/case/name_with_control_character", "GET", answer, NONE}},
    .size = 1,
};
