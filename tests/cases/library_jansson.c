/* case: functions of jansson; the text they make is the body, and the server frees it
 * expect: 200
 * get: /case/library_jansson -> 200 {"n":[1,2],"ok":true}
 */
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    json_t *json = json_pack("{s:[i,i], s:b}", "n", 1, 2, "ok", 1);
    res->body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return 0;
}

export module_t config = {
    .name = "library_jansson",
    .author = "cases",
    .routes = {{"/case/library_jansson", "GET", answer, NONE}},
    .size = 1,
};
