/* case: a negative return without a status is a 500, and with one it means nothing
 * expect: 200
 * get: /case/return_negative -> 409 taken
 * get: /case/return_negative/fail -> 500
 */
#include <cweb.h>

static int fail(struct http_request *req, struct http_response *res) { return req == NULL || res == NULL ? 0 : -1; }

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    res->status = HTTP_409_CONFLICT;
    strcpy(res->body, "taken\n");
    return -1;
}

export module_t config = {
    .name = "return_negative",
    .author = "cases",
    .routes = {
        {"/case/return_negative", "GET", answer, NONE},
        {"/case/return_negative/fail", "GET", fail, NONE},
    },
    .size = 2,
};
