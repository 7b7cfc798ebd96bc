/* case: libc calls back into the module
 * expect: 200
 * get: /case/libc_callbacks -> 200 1 3 5 9
 */
#include <cweb.h>

static int by_value(const void *left, const void *right) { return *(const int *)left - *(const int *)right; }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    int numbers[] = {5, 3, 9, 1};
    qsort(numbers, 4, sizeof numbers[0], by_value);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3]);
    return 0;
}

export module_t config = {
    .name = "libc_callbacks",
    .author = "cases",
    .routes = {{"/case/libc_callbacks", "GET", answer, NONE}},
    .size = 1,
};
