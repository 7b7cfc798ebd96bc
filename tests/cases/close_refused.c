/* case: the descriptors of the server are not a module's to close
 * expect: 200
 * get: /case/close_refused -> 200 closed
 * get: /case/close_refused -> 200 closed
 */
#include <cweb.h>
#include <unistd.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    for (int fd = 3; fd < 64; ++fd) close(fd);
    strcpy(res->body, "closed\n");
    return 0;
}

export module_t config = {
    .name = "close_refused",
    .author = "cases",
    .routes = {{"/case/close_refused", "GET", answer, NONE}},
    .size = 1,
};
