/* case: config is read after the constructors have run
 * expect: 200
 * get: /case/constructor_writes_config/7 -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

static char path[64];

__attribute__((constructor)) static void make_path(void) {
    snprintf(path, sizeof path, "/case/%s/%d", "constructor_writes_config", 7);
}

export module_t config = {
    .name = "constructor_writes_config",
    .author = "cases",
    .routes = {{path, "GET", answer, NONE}},
    .size = 1,
};
