/* case: own functions with names that the server or a library has
 * expect: 200
 * get: /case/own_names -> 200 sum 654321
 */
#include <cweb.h>

int queue_size(void) { return 1; }
int route_find(void) { return 20; }
int sha256(void) { return 300; }
int error(void) { return 4000; }
int LLVMContextCreate(void) { return 50000; }
int deflateTune(void) { return 600000; }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const int sum = queue_size() + route_find() + sha256() + error() + LLVMContextCreate() + deflateTune();
    snprintf(res->body, HTTP_RESPONSE_SIZE, "sum %d\n", sum);
    return 0;
}

export module_t config = {
    .name = "own_names",
    .author = "cases",
    .routes = {{"/case/own_names", "GET", answer, NONE}},
    .size = 1,
};
