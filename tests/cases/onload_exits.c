/* case: an onload that calls exit
 * expect: 422
 * stage: onload
 * says: onload did not return: the module called exit(1) at module.c:8
 */
#include <cweb.h>

static void load(void) { exit(1); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "onload_exits",
    .author = "cases",
    .routes = {{"/case/onload_exits", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
};
