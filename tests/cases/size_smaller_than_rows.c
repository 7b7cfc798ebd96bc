/* case: size leaves a row out, and the report says so
 * expect: 200
 * says: only the first 1 answer
 * get: /case/size_smaller_than_rows -> 200 here
 * get: /case/size_smaller_than_rows/more -> 404
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "size_smaller_than_rows",
    .author = "cases",
    .routes = {
        {"/case/size_smaller_than_rows", "GET", answer, NONE},
        {"/case/size_smaller_than_rows/more", "GET", answer, NONE},
    },
    .size = 1,
};
