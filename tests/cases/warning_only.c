/* case: a warning does not keep a module from being deployed, and is shown
 * expect: 200
 * says: unused variable 'forgotten'
 * get: /case/warning_only -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    int forgotten;
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "warning_only",
    .author = "cases",
    .routes = {{"/case/warning_only", "GET", answer, NONE}},
    .size = 1,
};
