/* case: every missing symbol is named, not only the first
 * expect: 422
 * stage: link
 * says: first_missing
 * says: second_missing
 * line: 15
 */
#include <cweb.h>

int first_missing(void);
int second_missing(void);

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->content_length = first_missing();
    return second_missing();
}

export module_t config = {
    .name = "undefined_twice",
    .author = "cases",
    .routes = {{"/case/undefined_twice", "GET", answer, NONE}},
    .size = 1,
};
