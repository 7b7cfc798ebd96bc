/* case: constructors run once, in their order, before onload
 * expect: 200
 * get: /case/constructor -> 200 order 1234
 */
#include <cweb.h>

static char order[16];

__attribute__((constructor(201))) static void second(void) { strcat(order, "2"); }
__attribute__((constructor(200))) static void first(void) { strcat(order, "1"); }
__attribute__((constructor)) static void third(void) { strcat(order, "3"); }
static void load(void) { strcat(order, "4"); }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "order %s\n", order);
    return 0;
}

export module_t config = {
    .name = "constructor",
    .author = "cases",
    .routes = {{"/case/constructor", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
};
