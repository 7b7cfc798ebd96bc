/* case: rows and members in any order, by name
 * expect: 200
 * get: /case/rows_by_member/a -> 200 here
 * get: /case/rows_by_member/b -> 200 here
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .size = 2,
    .routes =
        {
            [1] = {.handler = answer, .method = "GET", .path = "/case/rows_by_member/b"},
            [0] = {.path = "/case/rows_by_member/a", .method = "GET", .handler = &answer, .flags = NONE},
        },
    .author = "cases",
    .name = "rows_by_member",
};
