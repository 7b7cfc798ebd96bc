/* case: a name that ends with a space
 * expect: 422
 * stage: config
 * says: ends with a space
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "a ",
    .author = "cases",
    .routes = {{"/case/name_with_space_behind", "GET", answer, NONE}},
    .size = 1,
};
