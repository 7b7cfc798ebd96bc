/* case: functions of libm
 * expect: 200
 * get: /case/library_math?x=3 -> 200 0.1411 27.0000 1.7918 -2.0
 */
#include <cweb.h>
#include <math.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const double x = strtod(map_get(req->params, "x"), NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%.4f %.4f %.4f %.1f\n", sin(x), pow(x, 3), lgamma(x + 1), floor(-x / 2));
    return 0;
}

export module_t config = {
    .name = "library_math",
    .author = "cases",
    .routes = {{"/case/library_math", "GET", answer, NONE}},
    .size = 1,
};
