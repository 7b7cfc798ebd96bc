/* case: config is declared and defined nowhere
 * expect: 422
 * stage: config
 * says: declared and not defined
 * line: 15
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

extern module_t config;

int routes(void) { return config.size + answer(NULL, NULL); }
