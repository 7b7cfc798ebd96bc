/* case: a whole program instead of a module
 * expect: 422
 * stage: compile
 * says: a module has no `main`
 * line: 9
 */
#include <cweb.h>

int main(void) {
    puts("hello");
    return 0;
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "main_defined",
    .author = "cases",
    .routes = {{"/case/main_defined", "GET", answer, NONE}},
    .size = 1,
};
