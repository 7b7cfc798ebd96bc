/* case: <container.h> alone brings all of cweb.h
 * expect: 200
 * get: /case/header_container -> 200 here
 */
#include <container.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "header_container",
    .author = "cases",
    .routes = {{"/case/header_container", "GET", answer, NONE}},
    .size = 1,
};
