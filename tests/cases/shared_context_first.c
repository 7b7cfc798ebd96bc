/* case: cache, scheduler, database, symbols and crypto as the context-first generation uses them
 * expect: 200
 * get: /case/shared_context_first -> 200 all hold
 */
#include <cweb.h>
#include <stdatomic.h>
#include <unistd.h>

/* Says which of them does not hold. */
#define HOLDS(what)                                                                     \
    do {                                                                                \
        if (!(what)) {                                                                  \
            snprintf(res->body, HTTP_RESPONSE_SIZE, "line %d: not %s", __LINE__, #what); \
            return 0;                                                                   \
        }                                                                               \
    } while (0)

static int first, second;
static atomic_int runs;
int exported = 9;

static void run(void *data) {
    *(atomic_int *)data += 1;
}

static int answer(cweb_context_t *ctx, http_request_t *req, http_response_t *res) {
    (void)req;
    HOLDS(container_set(ctx->cache, "context", &first) == 0 && container_get(ctx->cache, "context") == &first);
    HOLDS(container_set(ctx->cache, "context", &second) == 0 && container_get("context") == &second);
    HOLDS(container_set("context", &first) == 0 && ctx->cache->get("context") == &first);
    HOLDS(container_set(ctx->cache, NULL, &first) == -1 && container_set(ctx->cache, "none", NULL) == -1);
    HOLDS(container_remove(ctx->cache, "context") == 0 && container_remove(ctx->cache, "context") == -1);

    runs = 0;
    HOLDS(scheduler_add(ctx->scheduler, run, &runs, SYNC) == 0 && runs == 1);
    HOLDS(scheduler_add(run, &runs, ASYNC) == 0 && ctx->scheduler->add(run, &runs, ASYNC) == 0);
    while (runs < 3) usleep(100);

    struct sqldb *db = ctx->database;
    char *error = NULL;
    HOLDS(db->exec(db, "DROP TABLE IF EXISTS context; CREATE TABLE context (id INTEGER PRIMARY KEY, text TEXT)", NULL, NULL,
                   &error) == SQLITE_OK && error == NULL);
    sqlite3_stmt *statement = NULL;
    const char *rest = NULL;
    HOLDS(db->prepare(db, "INSERT INTO context (text) VALUES (?)", -1, &statement, &rest) == SQLITE_OK && *rest == '\0');
    HOLDS(db->bind_text(db, statement, 1, "one", -1, SQLITE_TRANSIENT) == SQLITE_OK);
    HOLDS(db->step(db, statement) == SQLITE_DONE && db->changes(db) == 1 && db->last_insert_rowid(db) == 1);
    HOLDS(db->reset(db, statement) == SQLITE_OK && db->finalize(db, statement) == SQLITE_OK);
    HOLDS(db->prepare(db, "SELECT text, id FROM context WHERE id = ?", -1, &statement, NULL) == SQLITE_OK);
    HOLDS(db->bind_int(db, statement, 1, 1) == SQLITE_OK && db->step(db, statement) == SQLITE_ROW);
    HOLDS(strcmp((const char *)db->column_text(db, statement, 0), "one") == 0 && db->column_int(db, statement, 1) == 1);
    HOLDS(db->column_count(db, statement) == 2 && db->finalize(db, statement) == SQLITE_OK);
    HOLDS(db->prepare(db, "SELECT count(*) FROM context", &statement) == SQLITE_OK && db->step(db, statement) == SQLITE_ROW);
    HOLDS(db->column_int(db, statement, 0) == 1 && db->finalize(db, statement) == SQLITE_OK);
    HOLDS(sqlite3_exec(db->db, "INSERT INTO context (text) VALUES ('two')", NULL, NULL, NULL) == SQLITE_OK);
    HOLDS(sqlite3_changes(db->db) == 1 && db->changes(db) == 1 && db->last_insert_rowid(db) == 2);
    HOLDS(db->exec(db, "no SQL", NULL, NULL, &error) == SQLITE_ERROR && strstr(error, "syntax error") != NULL);
    db->free(db, error);

    HOLDS(ctx->symbols->resolv(ctx->symbols->user_data, "shared_context_first", "exported") == &exported);
    char token[] = "user=ann", signature[256];
    HOLDS(ctx->crypto->ops->sign_token(token, signature, sizeof signature) == 0);
    HOLDS(ctx->crypto->ops->verify_token(signature, token, strlen(token)) == 0);
    HOLDS(ctx->crypto->verify_token(signature, "user=bob", 8) == -1);
    HOLDS(ctx->cache == cache && ctx->scheduler == scheduler && ctx->database == database && ctx->symbols == symbols);
    HOLDS(ctx->crypto == crypto);
    strcpy(res->body, "all hold");
    return 0;
}

export module_t config = {
    .name = "shared_context_first",
    .author = "cases",
    .routes = {{"/case/shared_context_first", "GET", answer, NONE}},
    .size = 1,
};
