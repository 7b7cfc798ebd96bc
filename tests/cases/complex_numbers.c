/* case: complex multiplication and division, which need the compiler's library
 * expect: 200
 * get: /case/complex_numbers?n=1 -> 200 5.00 5.00 5.000 0.000 1.000
 */
#include <complex.h>
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    const char *text = map_get(req->params, "n");
    const double n = strtod(text, NULL);
    const double complex product = (n + 2 * I) * (3 - n * I), quotient = product / (1 + n * I);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%.2f %.2f %.3f %.3f %.3f\n", creal(product), cimag(product),
             creal(quotient), cimag(quotient), cabs(cexp(n * I)));
    return 0;
}

export module_t config = {
    .name = "complex_numbers",
    .author = "cases",
    .routes = {{"/case/complex_numbers", "GET", answer, NONE}},
    .size = 1,
};
