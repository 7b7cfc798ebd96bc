/* case: one WebSocket more than the table has
 * expect: 422
 * stage: config
 * says: `ws_size` is
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "ws_size_eleven",
    .author = "cases",
    .routes = {{"/case/ws_size_eleven", "GET", answer, NONE}},
    .size = 1,
    .ws_size = 11,
};
