/* case: twelve routes in a table of ten
 * expect: 422
 * stage: config
 * says: `size` is 12
 * says: CWEB_MAX_ROUTES
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "routes_too_many_for_the_table",
    .routes =
        {
            {"/case/routes_too_many_for_the_table/0", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/1", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/2", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/3", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/4", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/5", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/6", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/7", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/8", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/9", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/10", "GET", answer, NONE},
            {"/case/routes_too_many_for_the_table/11", "GET", answer, NONE},
        },
    .size = 12,
};
