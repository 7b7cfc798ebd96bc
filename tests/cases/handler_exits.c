/* case: exit, abort and a failed assertion end the call and nothing else
 * expect: 200
 * get: /case/handler_exits/leave -> 500
 * get: /case/handler_exits/leave?how=abort -> 500
 * get: /case/handler_exits/check -> 500
 * get: /case/handler_exits -> 200 here
 */
#include <assert.h>
#include <cweb.h>

static int leave(struct http_request *req, struct http_response *res) {
    (void)res;
    if (map_get(req->params, "how") == NULL) exit(3);
    abort();
}

static int check(struct http_request *req, struct http_response *res) {
    assert(req == NULL || res == NULL);
    return 0;
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "handler_exits",
    .author = "cases",
    .routes = {
        {"/case/handler_exits", "GET", answer, NONE},
        {"/case/handler_exits/leave", "GET", leave, NONE},
        {"/case/handler_exits/check", "GET", check, NONE},
    },
    .size = 3,
};
