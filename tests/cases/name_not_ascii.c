/* case: a name that is not ASCII
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
    .name = "z\xc3\xa4hler",
    .author = "cases",
    .routes = {{"/case/name_not_ascii", "GET", answer, NONE}},
    .size = 1,
};
