/* case: a module without config
 * expect: 422
 * stage: config
 * says: defines no `config`
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}
