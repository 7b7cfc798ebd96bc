/* case: functions of SQLite, on a database in memory
 * expect: 200
 * get: /case/library_sqlite -> 200 sum 42
 */
#include <cweb.h>

static int take_sum(void *sum, int columns, char **values, char **names) {
    (void)names;
    if (columns == 1) *(int *)sum = atoi(values[0]);
    return 0;
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    sqlite3 *database = NULL;
    int sum = 0;
    const int opened = sqlite3_open(":memory:", &database);
    if (opened == SQLITE_OK) {
        sqlite3_exec(database, "create table n (v int); insert into n values (40), (2)", NULL, NULL, NULL);
        sqlite3_exec(database, "select sum(v) from n", take_sum, &sum, NULL);
    }
    sqlite3_close(database);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "sum %d\n", sum);
    return 0;
}

export module_t config = {
    .name = "library_sqlite",
    .author = "cases",
    .routes = {{"/case/library_sqlite", "GET", answer, NONE}},
    .size = 1,
};
