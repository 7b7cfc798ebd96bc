/* case: changing the server's user from a module
 * expect: 422
 * stage: link
 * says: setuid
 * line: 13
 */
#include <cweb.h>

#include <unistd.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (setuid(0) != 0) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_setuid",
    .author = "cases",
    .routes = {{"/case/symbol_setuid", "GET", answer, NONE}},
    .size = 1,
};
