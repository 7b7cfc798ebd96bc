/* case: config is a function
 * expect: 422
 * stage: config
 * says: `config` is not an object
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export int config(void) { return 1; }
