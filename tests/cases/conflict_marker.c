/* case: a merge conflict was posted
 * expect: 422
 * stage: compile
 * says: version control conflict marker
 * line: 14
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}
<<<<<<< HEAD
static int speed = 1;
=======
static int speed = 2;
>>>>>>> other

export module_t config = {
    .name = "conflict_marker",
    .author = "cases",
    .routes = {{"/case/conflict_marker", "GET", answer, NONE}},
    .size = 1,
};
