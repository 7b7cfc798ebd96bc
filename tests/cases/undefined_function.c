/* case: a function that is declared and nowhere defined
 * expect: 422
 * stage: link
 * says: current_user
 * says: `cweb serve --link libNAME.so` offers another one
 * line: 14
 */
#include <cweb.h>

int current_user(void);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    if (current_user() == 0) return -1;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "undefined_function",
    .author = "cases",
    .routes = {{"/case/undefined_function", "GET", answer, NONE}},
    .size = 1,
};
