/* case: a loop that is vectorised gives the same result
 * expect: 200
 * get: /case/vector_loop -> 200 sum 1000000
 */
#include <cweb.h>
#include <math.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    static float a[1000], b[1000];
    for (int i = 0; i < 1000; ++i) a[i] = (float)i, b[i] = 2;
    for (int i = 0; i < 1000; ++i) a[i] = a[i] * b[i] + 1;
    double sum = 0;
    for (int i = 0; i < 1000; ++i) sum += sqrt((double)a[i] * (double)a[i]);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "sum %.0f\n", sum);
    return 0;
}

export module_t config = {
    .name = "vector_loop",
    .author = "cases",
    .routes = {{"/case/vector_loop", "GET", answer, NONE}},
    .size = 1,
};
