/* case: forty routes, because the table was made larger
 * expect: 200
 * get: /case/routes_forty/10 -> 200 here
 * get: /case/routes_forty/49 -> 200 here
 */
#define CWEB_MAX_ROUTES 64
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

#define ROW(n) {"/case/routes_forty/" #n, "GET", answer, NONE}
#define FIVE(n, a, b, c, d, e) ROW(n##a), ROW(n##b), ROW(n##c), ROW(n##d), ROW(n##e)
#define ROWS(n) FIVE(n, 0, 1, 2, 3, 4), FIVE(n, 5, 6, 7, 8, 9)

export module_t config = {
    .name = "routes_forty",
    .author = "cases",
    .routes = {ROWS(1), ROWS(2), ROWS(3), ROWS(4)},
    .size = 40,
};
