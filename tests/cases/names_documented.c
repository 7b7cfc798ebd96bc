/* case: every name of the documented generation that concerns requests, responses, maps and config
 * expect: 200
 * get: /case/names_documented/maps -> 200 all hold
 * get: /case/names_documented/constants -> 200 all hold
 * get: /case/names_documented/request?a=1%202&b=x+y -> 200 all hold
 * get: /case/names_documented/response -> 409 conflict
 * get: /case/names_documented/full -> 200 all hold
 * get: /case/names_documented/grown -> 200 the last byte
 * get: /case/names_documented/status?n=0 -> 200 set
 * get: /case/names_documented/status?n=1 -> 500
 * get: /case/names_documented/status?n=2 -> 200 set
 * get: /case/names_documented/status?n=3 -> 302 set
 * get: /case/names_documented/status?n=4 -> 400 set
 * get: /case/names_documented/status?n=5 -> 401 set
 * get: /case/names_documented/status?n=6 -> 403 set
 * get: /case/names_documented/status?n=7 -> 404 set
 * get: /case/names_documented/status?n=8 -> 405 set
 * get: /case/names_documented/status?n=9 -> 409 set
 * get: /case/names_documented/status?n=10 -> 413 set
 * get: /case/names_documented/status?n=11 -> 414 set
 * get: /case/names_documented/status?n=12 -> 426 set
 * get: /case/names_documented/status?n=13 -> 500 set
 * get: /case/names_documented/status?n=14 -> 501 set
 */
#include <cweb.h>

/* Says which of them does not hold. */
#define HOLDS(what)                                                                     \
    do {                                                                                \
        if (!(what)) {                                                                  \
            snprintf(res->body, HTTP_RESPONSE_SIZE, "line %d: not %s", __LINE__, #what); \
            return 0;                                                                   \
        }                                                                               \
    } while (0)

static int maps(struct http_request *req, struct http_response *res) {
    (void)req;
    char one[] = "1", two[] = "2", key[] = "key";
    struct map *map = map_create(1);
    HOLDS(map != NULL && map->size == 0 && map->capacity >= 1 && map_size(map) == 0);
    HOLDS(map_insert(map, key, one) == 0);
    key[0] = 'c'; /* it has a copy of the key, and the pointer to the value */
    HOLDS(map_get(map, "key") == one && map_get(map, "cey") == NULL);
    HOLDS(map_get(map, "KEY") == NULL);
    HOLDS(map_insert(map, "key", two) == 0 && map_get(map, "key") == one);
    HOLDS(map_insert(map, "other", two) == 0 && map_size(map) == 2 && map->size == 2 && map->capacity >= 2);
    HOLDS(strcmp(map->entries[0].key, "key") == 0 && map->entries[0].value == one);
    HOLDS(strcmp(map->entries[1].key, "other") == 0 && map->entries[1].value == two);
    HOLDS(map_remove(map, "absent") == -3 && map_remove(map, "key") == 0 && map_get(map, "key") == NULL);
    HOLDS(map_size(map) == 1);
    HOLDS(map_insert(NULL, "key", one) < 0 && map_insert(map, NULL, one) < 0 && map_insert(map, "key", NULL) < 0);
    HOLDS(map_get(NULL, "key") == NULL && map_size(NULL) == 0);
    map_destroy(map);
    map_destroy(NULL);
    map_error_t error = MAP_OK;
    HOLDS(error == 0 && MAP_ERR == 1 && MAP_FULL == 2 && MAP_KEY_NOT_FOUND == 3);
    strcpy(res->body, "all hold");
    return 0;
}

static int constants(struct http_request *req, struct http_response *res) {
    http_method_t method = HTTP_ERR;
    HOLDS(method == -1 && HTTP_GET == 0 && HTTP_POST == 1 && HTTP_PUT == 2 && HTTP_DELETE == 3 && HTTP_OPTIONS == 4);
    HOLDS(HTTP_PATCH > HTTP_OPTIONS && HTTP_HEAD > HTTP_OPTIONS);
    HOLDS(strcmp(http_methods[HTTP_GET], "GET") == 0 && strcmp(http_methods[HTTP_POST], "POST") == 0);
    HOLDS(strcmp(http_methods[HTTP_PUT], "PUT") == 0 && strcmp(http_methods[HTTP_DELETE], "DELETE") == 0);
    HOLDS(strcmp(http_methods[HTTP_OPTIONS], "OPTIONS") == 0 && strcmp(http_methods[HTTP_PATCH], "PATCH") == 0);
    HOLDS(strcmp(http_methods[HTTP_HEAD], "HEAD") == 0);
    http_error_t status = HTTP_000_UNKNOWN;
    HOLDS(status == 0 && HTTP_101_SWITCHING_PROTOCOLS == 101 && HTTP_200_OK == 200 && HTTP_302_FOUND == 302);
    HOLDS(HTTP_400_BAD_REQUEST == 400 && HTTP_401_UNAUTHORIZED == 401 && HTTP_403_FORBIDDEN == 403);
    HOLDS(HTTP_404_NOT_FOUND == 404 && HTTP_405_METHOD_NOT_ALLOWED == 405 && HTTP_409_CONFLICT == 409);
    HOLDS(HTTP_413_PAYLOAD_TOO_LARGE == 413 && HTTP_414_URI_TOO_LONG == 414 && HTTP_426_UPGRADE_REQUIRED == 426);
    HOLDS(HTTP_500_INTERNAL_SERVER_ERROR == 500 && HTTP_501_NOT_IMPLEMENTED == 501);
    HOLDS(NONE == 0 && HTTP_RESPONSE_SIZE == 8192 && strcmp(HTTP_VERSION, "HTTP/1.1") == 0);
    /* What the header brings along, a thing of each. */
    json_t *json = json_integer(1);
    HOLDS(json_integer_value(json) == 1);
    json_decref(json);
    regex_t pattern;
    HOLDS(regcomp(&pattern, "^a", REG_EXTENDED) == 0 && regexec(&pattern, "ab", 0, NULL, 0) == 0);
    regfree(&pattern);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    HOLDS(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    HOLDS(sqlite3_libversion_number() > 0 && isdigit('1') && offsetof(struct map_entry, key) == 0);
    HOLDS(sizeof(uint32_t) == 4 && abs(-1) == 1 && pthread_equal(req->tid, pthread_self()));
    strcpy(res->body, "all hold");
    return 0;
}

static int request(struct http_request *req, struct http_response *res) {
    HOLDS(req->method == HTTP_GET && strcmp(req->path, "/case/names_documented/request") == 0);
    HOLDS(req->body != NULL && req->body[0] == 0 && req->content_length == 0);
    HOLDS(strcmp(map_get(req->params, "a"), "1 2") == 0 && strcmp(map_get(req->params, "b"), "x y") == 0);
    HOLDS(map_get(req->headers, "host") != NULL && map_get(req->headers, "HOST") == map_get(req->headers, "Host"));
    HOLDS(req->data != NULL && map_size(req->data) == 0 && map_get(req->data, "a") == NULL);
    HOLDS(req->websocket == 0 && req->keep_alive == 1 && req->close == 0 && req->status == 0);
    HOLDS(res->status == 0 && res->headers != NULL && res->content_length == 0);
    for (int i = 0; i < HTTP_RESPONSE_SIZE; i++) HOLDS(res->body[i] == 0);
    strcpy(res->body, "all hold");
    return 0;
}

static int respond(struct http_request *req, struct http_response *res) {
    (void)req;
    char name[] = "X-Case", value[] = "kept";
    if (map_insert(res->headers, name, value) != MAP_OK) return -1;
    memset(value, 'x', 4);
    if (strcmp(map_get(res->headers, "x-case"), "kept") != 0) return -1;
    free(res->body);
    res->body = strdup("conflict and more");
    res->content_length = 8;
    res->status = HTTP_409_CONFLICT;
    return 1;
}

static int full(struct http_request *req, struct http_response *res) {
    char name[16];
    int added = 0, result = MAP_OK;
    while (added < 10000 && (result = map_insert(res->headers, "Set-Cookie", "a=1")) == MAP_OK) ++added;
    HOLDS(added == 1000 && result == -MAP_FULL && map_size(res->headers) == 1000);
    while (map_size(res->headers) > 0) HOLDS(map_remove(res->headers, "set-cookie") == MAP_OK);
    for (added = 0; added < 10000; ++added) {
        snprintf(name, sizeof name, "X-%d", added);
        if (map_insert(req->params, name, name) != MAP_OK) break;
    }
    HOLDS(added == 1000 && map_size(req->params) == 1000);
    strcpy(res->body, "all hold");
    return 0;
}

/* All of what was in the buffer is in the larger block, also behind a NUL. */
static int grow(struct http_request *req, struct http_response *res) {
    static const char last[] = "the last byte";
    memset(res->body, 'x', HTTP_RESPONSE_SIZE);
    res->body[1] = '\0';
    res->body = realloc(res->body, HTTP_RESPONSE_SIZE + sizeof last);
    if (res->body == NULL || res->body[HTTP_RESPONSE_SIZE - 1] != 'x' || req->path == NULL) return -1;
    memcpy(res->body + HTTP_RESPONSE_SIZE, last, sizeof last);
    res->content_length = HTTP_RESPONSE_SIZE + (int)sizeof last - 1;
    return 0;
}

static int status(struct http_request *req, struct http_response *res) {
    static const http_error_t all[] = {
        HTTP_000_UNKNOWN, HTTP_101_SWITCHING_PROTOCOLS, HTTP_200_OK, HTTP_302_FOUND, HTTP_400_BAD_REQUEST,
        HTTP_401_UNAUTHORIZED, HTTP_403_FORBIDDEN, HTTP_404_NOT_FOUND, HTTP_405_METHOD_NOT_ALLOWED, HTTP_409_CONFLICT,
        HTTP_413_PAYLOAD_TOO_LARGE, HTTP_414_URI_TOO_LONG, HTTP_426_UPGRADE_REQUIRED, HTTP_500_INTERNAL_SERVER_ERROR,
        HTTP_501_NOT_IMPLEMENTED};
    res->status = all[atoi(map_get(req->params, "n"))];
    strcpy(res->body, "set");
    return 0;
}

/* The tags are as good as the typedefs. */
static const struct route_info row = {"/case/names_documented/none", "GET", maps, NONE};
static const struct ws_info socket_row = {"/case/names_documented/none", NULL, NULL, NULL};

static void load(void) {
    route_info_t route = row;
    websocket_info_t socket = socket_row;
    entry_t handler = maps;
    if (route.handler != handler || route.flags != NONE || strcmp(route.method, "GET") != 0) abort();
    if (strcmp(route.path, socket.path) != 0 || socket.on_open || socket.on_message || socket.on_close) abort();
}

static void unload(void) {}

export struct module config = {
    .unload = unload,
    .onload = load,
    .ws_size = 0,
    .websockets = {{NULL, NULL, NULL, NULL}},
    .size = 7,
    .routes = {{"/case/names_documented/maps", "GET", maps, NONE},
               {"/case/names_documented/constants", "GET", constants, NONE},
               {"/case/names_documented/request", "GET", request, NONE},
               {"/case/names_documented/response", "GET", respond, NONE},
               {"/case/names_documented/full", "GET", full, NONE},
               {"/case/names_documented/grown", "GET", grow, NONE},
               {"/case/names_documented/status", "GET", status, NONE}},
    .author = "cases",
    .name = "names_documented",
};
