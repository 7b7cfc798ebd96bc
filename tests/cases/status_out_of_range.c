/* case: a number that is no status of an answer is a 500, and the block at res->body is given back all the same
 * expect: 200
 * get: /case/status_out_of_range?s=999 -> 999 set
 * get: /case/status_out_of_range?s=1000 -> 500 could not be sent
 * get: /case/status_out_of_range?s=199 -> 500 could not be sent
 * get: /case/status_out_of_range?s=-1 -> 500 could not be sent
 * get: /case/status_out_of_range?s=2147483647 -> 500 could not be sent
 * get: /case/status_out_of_range?s=0 -> 200 set
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    /* A module may have a gibibyte: there is no room for all of them at a time. */
    char *block = malloc((size_t)300 << 20);
    if (block == NULL) return -1;
    strcpy(block, "set");
    res->body = block;
    res->status = (http_error_t)atoi(map_get(req->params, "s"));
    return 0;
}

export module_t config = {
    .name = "status_out_of_range",
    .author = "cases",
    .routes = {{"/case/status_out_of_range", "GET", answer, NONE}},
    .size = 1,
};
