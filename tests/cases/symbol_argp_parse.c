/* case: argp_parse, which ends the process at a wrong argument
 * expect: 422
 * stage: link
 * says: argp_parse
 * says: it ends the server process
 * line: 14
 */
#include <argp.h>
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    char *arguments[] = {req->path, "--no-such-option", NULL};
    (void)res;
    return argp_parse(NULL, 2, arguments, 0, NULL, NULL);
}

export module_t config = {
    .name = "symbol_argp_parse",
    .author = "cases",
    .routes = {{"/case/symbol_argp_parse", "GET", answer, NONE}},
    .size = 1,
};
