/* case: own functions with names of libc whose headers are not included
 * expect: 200
 * get: /case/own_names_of_libc -> 200 sum 21
 */
#include <cweb.h>

/* shutdown and listen are libc's too; calls inside this file must reach these. */
int shutdown(void) { return 1; }
int listen(void) { return 20; }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "sum %d\n", shutdown() + listen());
    return 0;
}

export module_t config = {
    .name = "own_names_of_libc",
    .author = "cases",
    .routes = {{"/case/own_names_of_libc", "GET", answer, NONE}},
    .size = 1,
};
