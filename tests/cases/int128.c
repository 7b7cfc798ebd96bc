/* case: 128-bit division and conversion, which need the compiler's library
 * expect: 200
 * get: /case/int128?n=3 -> 200 5534023222 747032022 -2767011611 55340232221128654848
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const char *text = map_get(req->params, "n");
    const unsigned __int128 large = ((unsigned __int128)strtoull(text, NULL, 10) << 64) + 5;
    const __int128 negative = -(__int128)(large >> 1);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%llu %llu %lld %.0f\n", (unsigned long long)(large / 10000000000ull),
             (unsigned long long)(large % 1000000007), (long long)(negative / 10000000000ll), (double)large);
    return 0;
}

export module_t config = {
    .name = "int128",
    .author = "cases",
    .routes = {{"/case/int128", "GET", answer, NONE}},
    .size = 1,
};
