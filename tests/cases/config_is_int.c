/* case: config is a number
 * expect: 422
 * stage: config
 * says: `config` has type 'int'; expected 'module_t'
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export int config = 1;
