/* case: null, nothing, negative and huge: each function of cweb.h answers with a value that says so
 * expect: 200
 * get: /case/hostile_arguments/maps -> 200 all hold
 * get: /case/hostile_arguments/shared -> 200 all hold
 * get: /case/hostile_arguments/database -> 200 all hold
 * get: /case/hostile_arguments/sockets -> 200 all hold
 * get: /case/hostile_arguments/memory -> 200 all hold
 */
#include <cweb.h>
#include <limits.h>

/* Says which of them does not hold. */
#define HOLDS(what)                                                                     \
    do {                                                                                \
        if (!(what)) {                                                                  \
            snprintf(res->body, HTTP_RESPONSE_SIZE, "line %d: not %s", __LINE__, #what); \
            return 0;                                                                   \
        }                                                                               \
    } while (0)

/* What the compiler cannot know the values of. */
static void *volatile none = NULL;
static char *volatile odd = (char *)0x11;
static volatile size_t huge = SIZE_MAX;
static volatile int negative = -1;

static int maps(struct http_request *req, struct http_response *res) {
    HOLDS(map_create(huge) == NULL && map_create(huge / 16) == NULL && map_create(huge / 32) == NULL);
    HOLDS(http_kv_create(huge) == NULL);
    struct map *map = map_create(0);
    char *text = strdup("a block");
    HOLDS(map_insert(map, "", odd) == MAP_OK && map_get(map, "") == odd && map_remove(map, "") == MAP_OK);
    HOLDS(map_insert(none, none, none) == -MAP_ERR && map_remove(none, "k") < 0 && map_remove(map, none) < 0);
    HOLDS(map_get(map, none) == NULL && map_get(none, none) == NULL && map_size(none) == 0);
    HOLDS(http_kv_insert(none, "k", text) == -MAP_ERR && http_kv_insert(map, none, text) == -MAP_ERR);
    HOLDS(http_kv_insert(map, "k", none) == -MAP_ERR && http_kv_get(map, none) == NULL && http_kv_size(none) == 0);
    HOLDS(http_kv_insert(map, "k", text) == MAP_OK && http_kv_insert(map, "l", text) == MAP_OK);
    http_kv_destroy(map, negative); /* the block is in it twice */
    http_kv_destroy(none, 1);
    map_destroy(none);
    map_destroy(req->params);
    http_kv_destroy(res->headers, 1);
    HOLDS(map_size(req->params) == 0 && map_insert(req->params, "odd", odd) == MAP_OK);
    HOLDS(map_get(req->params, "ODD") == odd && map_remove(req->params, "odd") == MAP_OK);
    /* The server's memory has its bounds, whatever a module has. */
    char *large = malloc(2 << 20);
    memset(large, 'x', (2 << 20) - 1);
    large[(2 << 20) - 1] = '\0';
    HOLDS(map_insert(res->headers, "X-Large", large) == -MAP_FULL && map_size(res->headers) == 0);
    HOLDS(map_insert(req->params, large, "value") == -MAP_FULL && http_kv_insert(req->data, "k", large) == -MAP_FULL);
    HOLDS(map_remove(req->headers, large) == -MAP_KEY_NOT_FOUND && map_get(req->headers, large) == NULL);
    strcpy(res->body, "all hold");
    return 0;
}

static void work(void *data) { (void)data; }

static int shared(struct http_request *req, struct http_response *res) {
    (void)req;
    char bytes[8] = "-------", signature[CWEB_SIGNATURE_SIZE];
    HOLDS(cache->set(none, none) == -1 && cache->get(none) == NULL && container_get(none) == NULL);
    HOLDS(container_set(none, none) == -1 && container_set(cache, none, none) == -1 && container_remove(none) == -1);
    HOLDS(container_get(cache, none) == NULL && container_remove(cache, none) == -1);
    HOLDS(cache->set("hostile", odd) == 0 && cache->get("hostile") == odd && container_remove("hostile") == 0);
    HOLDS(cweb_cache_put("hostile", none, 0, 0) == 0 && cweb_cache_fetch("hostile", none, 0) == 0);
    HOLDS(cweb_cache_fetch("hostile", bytes, huge) == 0 && strcmp(bytes, "-------") == 0);
    HOLDS(cweb_cache_put("hostile", none, 1, 0) == -1 && cweb_cache_put("hostile", bytes, huge, 0) == -1);
    HOLDS(cweb_cache_put("hostile", bytes, 1, LONG_MIN) == -1 && cweb_cache_put("hostile", bytes, 7, LONG_MAX) == 0);
    HOLDS(cweb_cache_fetch("hostile", none, 1) == -1 && cweb_cache_fetch("hostile", none, 0) == 7);
    HOLDS(cweb_cache_fetch("hostile", bytes + 1, 3) == 7 && strcmp(bytes, "----") > 0);
    HOLDS(cweb_cache_fetch(none, bytes, 1) == -1 && cweb_cache_expire(none, 1) == -1);
    HOLDS(cweb_cache_expire("hostile", negative) == -1 && cweb_cache_expire("hostile", LONG_MAX) == 0);
    HOLDS(cweb_cache_put("", "", 0, 0) == 0 && cweb_cache_expire("", 0) == 0 && cweb_cache_expire("hostile", 0) == 0);

    HOLDS(scheduler->add(none, none, ASYNC) == -1 && scheduler->add(work, none, (worker_state_t)7) == -1);
    HOLDS(scheduler->add(work, none, (worker_state_t)negative) == -1 && scheduler_add(scheduler, none, none, SYNC) == -1);
    HOLDS(scheduler_add(none, none, ASYNC) == -1 && scheduler->add(work, odd, SYNC) == 0);
    HOLDS(cweb_after_ms(LONG_MIN, work, none) == -1 && cweb_every_ms(negative, work, none) == -1);
    long far = cweb_after_ms(LONG_MAX, work, none), often = cweb_every_ms(LONG_MAX, work, none);
    HOLDS(far > 0 && often > far && cweb_cancel(far) == 0 && cweb_cancel(often) == 0);
    HOLDS(cweb_cancel(LONG_MIN) == -1 && cweb_cancel(0) == -1 && cweb_cancel(LONG_MAX) == -1);

    HOLDS(symbols->resolv(none, none) == NULL && symbols->resolv("", "") == NULL);
    HOLDS(symbols->resolv("hostile_arguments", none) == NULL && symbols->resolv(symbols, none, none) == NULL);
    HOLDS(crypto->sign_token(none, signature, sizeof signature) == -1 && crypto->sign_token("", none, UINT_MAX) == -1);
    HOLDS(crypto->sign_token("", signature, sizeof signature - 1) == -1 && crypto->sign_token("", signature, 0) == -1);
    HOLDS(crypto->sign_token("", signature, UINT_MAX) == 0 && crypto->verify_token(signature, odd, 0) == 0);
    HOLDS(crypto->verify_token(signature, "", huge) == 0 && crypto->verify_token("", "", 0) == -1);
    HOLDS(crypto->verify_token(none, "", 0) == -1 && crypto->verify_token(signature, none, 0) == -1);
    HOLDS(jobs_create(none, none, none) == -1 && jobs_create(odd, odd, none) == -1);
    strcpy(res->body, "all hold");
    return 0;
}

static int rows(void *sum, int count, char **values, char **names) {
    (void)values;
    (void)names;
    return *(int *)sum += count, 0;
}

static int use_database(struct http_request *req, struct http_response *res) {
    (void)req;
    struct sqldb *db = database;
    sqlite3_stmt *statement = (sqlite3_stmt *)odd, *nothing = none;
    const char *rest = none;
    char *error = odd;
    int sum = 0;
    HOLDS(db->exec(none, NULL, NULL, &error) == SQLITE_MISUSE && error == NULL);
    HOLDS(db->exec(db, none, NULL, NULL, NULL) == SQLITE_MISUSE && db->exec("", rows, &sum, &error) == SQLITE_OK);
    HOLDS(db->exec("SELECT 1, NULL; ; -- nothing", rows, &sum, &error) == SQLITE_OK && sum == 2);
    HOLDS(db->prepare(none, -1, &statement, NULL) == SQLITE_MISUSE && statement == NULL);
    HOLDS(db->prepare("SELECT 1", -1, (sqlite3_stmt **)NULL, NULL) == SQLITE_MISUSE);
    HOLDS(db->prepare("SELECT 1", 0, &statement, &rest) == SQLITE_OK && statement == NULL);
    HOLDS(db->prepare("SELECT ?1, ?1", INT_MAX, &statement, &rest) == SQLITE_OK && *rest == '\0');
    HOLDS(db->bind_text(statement, 1, NULL, -1, SQLITE_STATIC) == SQLITE_OK);
    HOLDS(db->bind_text(statement, 1, NULL, 7, SQLITE_TRANSIENT) == SQLITE_OK);
    HOLDS(db->bind_text(statement, 1, odd, 0, SQLITE_TRANSIENT) == SQLITE_OK);
    HOLDS(db->bind_text(statement, 0, "a", 1, SQLITE_STATIC) == SQLITE_RANGE);
    HOLDS(db->bind_text(statement, INT_MAX, "a", 1, SQLITE_STATIC) == SQLITE_RANGE);
    HOLDS(db->bind_int(statement, negative, 1) == SQLITE_RANGE && db->bind_int(db, statement, 2, 1) == SQLITE_RANGE);
    HOLDS(sqlite3_bind_text64(statement, 1, odd, huge / 4, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_TOOBIG);
    HOLDS(sqlite3_bind_blob64(statement, 1, odd, huge / 4, SQLITE_STATIC) == SQLITE_TOOBIG);
    HOLDS(sqlite3_bind_blob64(statement, 1, odd, huge, SQLITE_STATIC) == SQLITE_MISUSE);
    HOLDS(sqlite3_bind_text64(statement, 1, "a", 1, SQLITE_STATIC, 77) == SQLITE_MISUSE);
    HOLDS(sqlite3_bind_value(statement, 1, none) == SQLITE_MISUSE);
    HOLDS(sqlite3_bind_pointer(statement, 1, odd, "type", SQLITE_STATIC) == SQLITE_MISUSE);
    HOLDS(sqlite3_transfer_bindings(statement, statement) == SQLITE_MISUSE);
    HOLDS(db->bind_text(statement, 1, odd, 0, SQLITE_STATIC) == SQLITE_OK);
    HOLDS(db->step(statement) == SQLITE_ROW && db->column_text(statement, negative) == NULL);
    HOLDS(db->column_text(statement, INT_MAX) == NULL && db->column_int(statement, INT_MIN) == 0);
    HOLDS(strcmp((const char *)db->column_text(statement, 0), "") == 0 && db->finalize(statement) == SQLITE_OK);

    char packed[1 + sizeof statement];
    HOLDS(db->prepare("SELECT 1", -1, (sqlite3_stmt **)(packed + 1), (const char **)NULL) == SQLITE_OK);
    sqlite3_stmt *unpacked;
    memcpy(&unpacked, packed + 1, sizeof unpacked);
    HOLDS(db->step(unpacked) == SQLITE_ROW && db->finalize(unpacked) == SQLITE_OK);
    HOLDS(db->finalize(statement) == SQLITE_MISUSE && db->reset(statement) == SQLITE_MISUSE);
    HOLDS(db->bind_int(statement, 1, 1) == SQLITE_MISUSE && db->column_count(statement) == 0);
    HOLDS(db->column_int(db, statement, 0) == 0 && db->column_text(statement, 0) == NULL);
    HOLDS(db->finalize(nothing) == SQLITE_OK && db->reset(nothing) == SQLITE_OK && db->step(nothing) == SQLITE_MISUSE);
    HOLDS(db->bind_text(nothing, 1, "a", 1, SQLITE_STATIC) == SQLITE_MISUSE && db->column_count(nothing) == 0);
    statement = (sqlite3_stmt *)odd;
    HOLDS(db->step(statement) == SQLITE_MISUSE && db->finalize(statement) == SQLITE_MISUSE);
    HOLDS(db->column_count(db, statement) == 0 && db->bind_text(db, statement, 1, odd, 1, odd) == SQLITE_MISUSE);
    HOLDS(sqlite3_close(db->db) == SQLITE_OK && db->exec("SELECT 1", NULL, NULL, NULL) == SQLITE_OK);

    db->free(none);
    db->free(db, none);
    HOLDS(db->exec("no SQL", NULL, NULL, &error) == SQLITE_ERROR);
    sqlite3_free(error);
    HOLDS(db->exec("no SQL", NULL, NULL, &error) == SQLITE_ERROR);
    free(error);
    db->free(sqlite3_mprintf("%s", "SQLite's"));
    db->free(malloc(100)); /* the module's own */
    db->free(res->body);   /* the server's, which it knows */
    sqlite3_free(sqlite3_realloc(sqlite3_realloc(none, 10), 10000));
    sqlite3_free(sqlite3_realloc(strdup("a block"), 10000));
    HOLDS(sqlite3_realloc(malloc(10), negative) == NULL && sqlite3_msize(none) == 0);
    strcpy(res->body, "all hold");
    return 0;
}

static int sockets(struct http_request *req, struct http_response *res) {
    (void)req;
    struct websocket *const nobody[] = {none, (struct websocket *)odd, (struct websocket *)res->body};
    for (int i = 0; i < 3; ++i) {
        struct websocket *ws = nobody[i];
        HOLDS(cweb_ws_send_binary(ws, "x", 1) == -1 && cweb_ws_send_binary(ws, none, 0) == -1);
        HOLDS(cweb_ws_send_binary(ws, none, 1) == -1 && cweb_ws_send_binary(ws, odd, huge) == -1);
        HOLDS(cweb_ws_close(ws, 1000, none) == -1 && cweb_ws_close(ws, negative, "") == -1);
        cweb_ws_set_data(ws, odd);
        HOLDS(cweb_ws_get_data(ws) == NULL && cweb_ws_request(ws) == NULL && cweb_ws_is_binary(ws) == 0);
        HOLDS(cweb_ws_param(ws, none) == NULL && cweb_ws_param(ws, "a") == NULL && cweb_ws_close_code(ws) == 0);
        HOLDS(strcmp(cweb_ws_path(ws), "") == 0 && strcmp(cweb_ws_protocol(ws), "") == 0);
        HOLDS(cweb_ws_next("/nobody", ws) == NULL && cweb_ws_next(none, ws) == NULL);
    }
    HOLDS(cweb_ws_broadcast(none, "x", 1) == -1 && cweb_ws_broadcast("/nobody", none, 1) == -1);
    HOLDS(cweb_ws_broadcast("/nobody", none, 0) == 0 && cweb_ws_broadcast("/nobody", odd, huge) == -1);
    HOLDS(cweb_ws_broadcast("/nobody", "\xff", 1) == -1 && cweb_ws_broadcast_binary("/nobody", "\xff", 1) == 0);
    HOLDS(cweb_ws_broadcast_binary(none, "x", 1) == -1 && cweb_ws_broadcast_binary("/nobody", none, 0) == 0);
    HOLDS(cweb_ws_count(none) == 0 && cweb_ws_count("") == 0);
    strcpy(res->body, "all hold");
    return 0;
}

static int memory(struct http_request *req, struct http_response *res) {
    (void)req;
    char *empty = strndup(none, 0);
    HOLDS(empty != NULL && empty[0] == '\0');
    free(empty);
    /* Kept where the compiler cannot leave the call out. */
    void *volatile got;
    HOLDS((got = malloc(huge)) == NULL && (got = calloc(huge, huge)) == NULL && (got = realloc(none, huge)) == NULL);
    HOLDS((got = aligned_alloc(3, 8)) == NULL && (got = aligned_alloc(huge / 2 + 1, 8)) == NULL);
    HOLDS((got = malloc(10)) != NULL && realloc(got, huge) == NULL);
    strcpy(got, "as it was");
    HOLDS(realloc(got, 0) == NULL && (got = malloc(0)) != NULL);
    free(none);
    strcpy(res->body, "all hold");
    return 0;
}

export module_t config = {
    .name = "hostile_arguments",
    .author = "cases",
    .routes = {{"/case/hostile_arguments/maps", "GET", maps, NONE},
               {"/case/hostile_arguments/shared", "GET", shared, NONE},
               {"/case/hostile_arguments/database", "GET", use_database, NONE},
               {"/case/hostile_arguments/sockets", "GET", sockets, NONE},
               {"/case/hostile_arguments/memory", "GET", memory, NONE}},
    .size = 5,
};
