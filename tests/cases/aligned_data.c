/* case: data lies where its alignment wants it
 * expect: 200
 * get: /case/aligned_data -> 200 off by 0
 */
#include <cweb.h>

static _Alignas(4096) char page[4096];
static _Alignas(64) char line[64];

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    page[0] = line[0] = 1;
    const size_t off = (uintptr_t)page % 4096 + (uintptr_t)line % 64;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "off by %zu\n", off);
    return 0;
}

export module_t config = {
    .name = "aligned_data",
    .author = "cases",
    .routes = {{"/case/aligned_data", "GET", answer, NONE}},
    .size = 1,
};
