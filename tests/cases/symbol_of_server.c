/* case: a function of the server itself
 * expect: 422
 * stage: link
 * says: _ZN4cweb3log6set_upEv
 * line: 13
 */
#include <cweb.h>

void _ZN4cweb3log6set_upEv(void);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    _ZN4cweb3log6set_upEv();
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "symbol_of_server",
    .author = "cases",
    .routes = {{"/case/symbol_of_server", "GET", answer, NONE}},
    .size = 1,
};
