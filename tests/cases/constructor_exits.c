/* case: a constructor that calls exit
 * expect: 422
 * stage: onload
 * says: a constructor did not return
 */
#include <cweb.h>

__attribute__((constructor)) static void load(void) { exit(1); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "constructor_exits",
    .author = "cases",
    .routes = {{"/case/constructor_exits", "GET", answer, NONE}},
    .size = 1,
};
