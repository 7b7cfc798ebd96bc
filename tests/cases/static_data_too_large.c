/* case: one object of a gigabyte, with an initialiser
 * expect: 422
 * stage: compile
 * says: `a` takes 1073741824 bytes of static storage
 * line: 9
 */
#include <cweb.h>

char a[1 << 30] = {1};

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "static_data_too_large",
    .author = "cases",
    .routes = {{"/case/static_data_too_large", "GET", answer, NONE}},
    .size = 1,
};
