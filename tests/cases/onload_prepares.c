/* case: what onload made is there for the first request
 * expect: 200
 * get: /case/onload_prepares -> 200 prepared
 */
#include <cweb.h>

static char *greeting;

static void load(void) { greeting = strdup("prepared\n"); }
static void unload(void) { free(greeting); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, greeting);
    return 0;
}

export module_t config = {
    .name = "onload_prepares",
    .author = "cases",
    .routes = {{"/case/onload_prepares", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
    .unload = unload,
};
