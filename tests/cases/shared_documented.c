/* case: every name of cache, scheduler, database, symbols and crypto, as the documented generation uses them
 * expect: 200
 * get: /case/shared_documented/cache -> 200 all hold
 * get: /case/shared_documented/scheduler -> 200 all hold
 * get: /case/shared_documented/database -> 200 all hold
 * get: /case/shared_documented/sqlite -> 200 all hold
 * get: /case/shared_documented/symbols -> 200 all hold
 * get: /case/shared_documented/crypto -> 200 all hold
 */
#include <cweb.h>
#include <stdatomic.h>
#include <unistd.h>

/* As modules write it. */
extern struct crypto *crypto;

/* Says which of them does not hold. */
#define HOLDS(what)                                                                     \
    do {                                                                                \
        if (!(what)) {                                                                  \
            snprintf(res->body, HTTP_RESPONSE_SIZE, "line %d: not %s", __LINE__, #what); \
            return 0;                                                                   \
        }                                                                               \
    } while (0)

static int first, second;

static int use_cache(struct http_request *req, struct http_response *res) {
    (void)req;
    struct container *all = cache;
    HOLDS(all->set("documented", &first) == 0 && all->get("documented") == &first);
    HOLDS(cache->set("documented", &second) == 0 && cache->get("documented") == &first);
    HOLDS(cache->set(NULL, &first) == -1 && cache->set("none", NULL) == -1 && cache->get("none") == NULL);
    char *block = strdup("of the heap");
    HOLDS(cache->set("documented block", block) == 0 && strcmp(cache->get("documented block"), "of the heap") == 0);

    char buffer[8] = "-------";
    HOLDS(cweb_cache_put("documented", "abcdef", 6, 0) == 0);
    HOLDS(cweb_cache_fetch("documented", buffer, sizeof buffer) == 6 && memcmp(buffer, "abcdef-", 8) == 0);
    HOLDS(cweb_cache_fetch("documented", buffer, 2) == 6 && cweb_cache_fetch("documented", NULL, 0) == 6);
    HOLDS(cweb_cache_fetch("absent", buffer, sizeof buffer) == -1 && cweb_cache_put(NULL, "a", 1, 0) == -1);
    HOLDS(cweb_cache_put("documented", "a", 1, -1) == -1 && cweb_cache_put("large", buffer, (size_t)-1, 0) == -1);
    HOLDS(cweb_cache_expire("documented", 60000) == 0 && cweb_cache_expire("documented", 0) == 0);
    HOLDS(cweb_cache_expire("documented", 0) == -1 && cweb_cache_fetch("documented", buffer, 1) == -1);
    HOLDS(cweb_cache_put("documented", "a", 1, 1) == 0);
    while (cweb_cache_fetch("documented", buffer, 1) == 1) usleep(100);
    strcpy(res->body, "all hold");
    return 0;
}

static atomic_int runs;

static void run(void *data) {
    *(atomic_int *)data += 1;
}

static int use_scheduler(struct http_request *req, struct http_response *res) {
    (void)req;
    struct scheduler *all = scheduler;
    worker_state_t state = SYNC;
    runs = 0;
    HOLDS(all->add(run, &runs, state) == 0 && runs == 1);
    HOLDS(scheduler->add(run, &runs, ASYNC) == 0);
    while (runs < 2) usleep(100);
    HOLDS(scheduler->add(NULL, NULL, ASYNC) == -1 && scheduler->add(NULL, NULL, SYNC) == -1);
    HOLDS(cweb_after_ms(1, run, &runs) > 0);
    while (runs < 3) usleep(100);
    long timer = cweb_every_ms(1, run, &runs);
    HOLDS(timer > 0);
    while (runs < 6) usleep(100);
    HOLDS(cweb_cancel(timer) == 0 && cweb_cancel(timer) == -1 && cweb_cancel(-1) == -1);
    HOLDS(cweb_every_ms(0, run, &runs) == -1 && cweb_after_ms(-1, run, &runs) == -1 && cweb_after_ms(1, NULL, NULL) == -1);
    strcpy(res->body, "all hold");
    return 0;
}

static int add_up(void *sum, int count, char **values, char **names) {
    *(int *)sum += count == 1 && strcmp(names[0], "id") == 0 ? atoi(values[0]) : 1000;
    return 0;
}

static int use_database(struct http_request *req, struct http_response *res) {
    (void)req;
    struct sqldb *db = database;
    char *error = NULL;
    HOLDS(db->exec("DROP TABLE IF EXISTS documented; CREATE TABLE documented (id INTEGER PRIMARY KEY, text TEXT)", NULL,
                   NULL, &error) == SQLITE_OK && error == NULL);
    sqlite3_stmt *statement = NULL;
    const char *rest = NULL;
    HOLDS(db->prepare("INSERT INTO documented (text) VALUES (?)", -1, &statement, &rest) == SQLITE_OK && *rest == '\0');
    HOLDS(db->bind_text(statement, 1, "one", -1, SQLITE_STATIC) == SQLITE_OK);
    HOLDS(db->step(statement) == SQLITE_DONE && db->changes() == 1 && db->last_insert_rowid() == 1);
    HOLDS(db->reset(statement) == SQLITE_OK && db->bind_text(statement, 1, "two", 2, SQLITE_TRANSIENT) == SQLITE_OK);
    HOLDS(db->step(statement) == SQLITE_DONE && db->last_insert_rowid() == 2 && db->finalize(statement) == SQLITE_OK);
    HOLDS(db->prepare("SELECT text, id FROM documented WHERE id = ?", -1, &statement, NULL) == SQLITE_OK);
    HOLDS(db->bind_int(statement, 1, 2) == SQLITE_OK && db->step(statement) == SQLITE_ROW);
    HOLDS(strcmp((const char *)db->column_text(statement, 0), "tw") == 0 && db->column_int(statement, 1) == 2);
    HOLDS(db->column_count(statement) == 2 && db->step(statement) == SQLITE_DONE);
    HOLDS(db->finalize(statement) == SQLITE_OK && db->step(statement) == SQLITE_MISUSE);
    HOLDS(db->prepare("SELECT count(*) FROM documented", &statement) == SQLITE_OK && db->step(statement) == SQLITE_ROW);
    HOLDS(db->column_int(statement, 0) == 2 && db->finalize(statement) == SQLITE_OK);
    int sum = 0;
    HOLDS(db->exec("SELECT id FROM documented", add_up, &sum, NULL) == SQLITE_OK && sum == 3);
    HOLDS(db->exec("no SQL", NULL, NULL, &error) == SQLITE_ERROR && strstr(error, "syntax error") != NULL);
    db->free(error);
    strcpy(res->body, "all hold");
    return 0;
}

static int use_sqlite(struct http_request *req, struct http_response *res) {
    (void)req;
    sqlite3_stmt *statement = NULL;
    HOLDS(sqlite3_exec(database->db, "CREATE TABLE IF NOT EXISTS direct (text TEXT)", NULL, NULL, NULL) == SQLITE_OK);
    HOLDS(sqlite3_prepare_v2(database->db, "INSERT INTO direct VALUES (?)", -1, &statement, NULL) == SQLITE_OK);
    HOLDS(sqlite3_bind_text(statement, 1, "a", -1, SQLITE_STATIC) == SQLITE_OK);
    HOLDS(sqlite3_step(statement) == SQLITE_DONE && sqlite3_finalize(statement) == SQLITE_OK);
    HOLDS(sqlite3_changes(database->db) == 1 && database->changes() == 1);
    HOLDS(sqlite3_last_insert_rowid(database->db) == database->last_insert_rowid());
    HOLDS(database->exec("SELECT absent", NULL, NULL, NULL) == SQLITE_ERROR);
    HOLDS(strcmp(sqlite3_errmsg(database->db), "no such column: absent") == 0);
    HOLDS(sqlite3_exec(database->db, "DELETE FROM direct", NULL, NULL, NULL) == SQLITE_OK);
    strcpy(res->body, "all hold");
    return 0;
}

int exported = 7;
__attribute__((visibility("hidden"))) int hidden = 8;

static int use_symbols(struct http_request *req, struct http_response *res) {
    (void)req;
    struct symbols *all = symbols;
    int *mine = all->resolv("shared_documented", "exported");
    HOLDS(mine == &exported && *mine == 7);
    HOLDS(symbols->resolv("shared_documented", "hidden") == NULL && hidden == 8);
    HOLDS(symbols->resolv("shared_documented", "first") == NULL);
    HOLDS(symbols->resolv("nobody", "exported") == NULL && symbols->resolv(NULL, "exported") == NULL);
    strcpy(res->body, "all hold");
    return 0;
}

static int use_crypto(struct http_request *req, struct http_response *res) {
    (void)req;
    char token[] = "user=ann", other[] = "user=bob", signature[256], again[CWEB_SIGNATURE_SIZE];
    HOLDS(crypto->ops->sign_token(token, signature, sizeof signature) == 0);
    HOLDS(crypto->sign_token(token, again, sizeof again) == 0 && strcmp(signature, again) == 0);
    HOLDS(crypto->ops->verify_token(signature, token, strlen(token)) == 0);
    HOLDS(crypto->verify_token(signature, token, sizeof token) == 0);
    HOLDS(crypto->verify_token(signature, other, strlen(other)) == -1);
    HOLDS(crypto->sign_token(token, signature, 10) == -1 && crypto->sign_token(token, NULL, 100) == -1);
    signature[0] ^= 1;
    HOLDS(crypto->verify_token(signature, token, strlen(token)) == -1);
    strcpy(res->body, "all hold");
    return 0;
}

export module_t config = {
    .name = "shared_documented",
    .author = "cases",
    .routes = {
        {"/case/shared_documented/cache", "GET", use_cache, NONE},
        {"/case/shared_documented/scheduler", "GET", use_scheduler, NONE},
        {"/case/shared_documented/database", "GET", use_database, NONE},
        {"/case/shared_documented/sqlite", "GET", use_sqlite, NONE},
        {"/case/shared_documented/symbols", "GET", use_symbols, NONE},
        {"/case/shared_documented/crypto", "GET", use_crypto, NONE},
    },
    .size = 6,
};
