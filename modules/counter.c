/* Counts how often its page is asked for. The smallest module there is: one handler, one route, and the name by
   which the next version will replace it. */
#include <cweb.h>

/* Handlers run on several threads at a time: what they share is atomic, or behind a mutex. */
static _Atomic unsigned long count;

static int show_count(struct http_request *req, struct http_response *res) {
    (void)req;
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "count %lu\n", ++count);
    return 0;
}

export module_t config = {
    .name = "counter",
    .author = "cweb",
    .routes = {{"/counter", "GET", show_count, NONE}},
    .size = 1,
};
