/* case: a module without a name
 * expect: 422
 * stage: config
 * says: the module has no name
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .author = "cases",
    .routes = {{"/case/name_missing", "GET", answer, NONE}},
    .size = 1,
};
