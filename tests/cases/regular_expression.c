/* case: regex.h, which cweb.h brings along
 * expect: 200
 * get: /case/regular_expression -> 200 1 5
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    regex_t expression;
    regmatch_t match;
    if (regcomp(&expression, "[0-9]+", REG_EXTENDED) != 0) return -1;
    const int found = regexec(&expression, "room 42", 1, &match, 0) == 0;
    regfree(&expression);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %d\n", found, found ? (int)match.rm_so : -1);
    return 0;
}

export module_t config = {
    .name = "regular_expression",
    .author = "cases",
    .routes = {{"/case/regular_expression", "GET", answer, NONE}},
    .size = 1,
};
