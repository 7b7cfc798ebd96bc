/*
 * cweb.h - everything that a module for the cweb server sees.
 *
 * A module is one C file. POST it to /mgnt and its routes are live:
 *
 *     #include <cweb.h>
 *
 *     static int hello(struct http_request *req, struct http_response *res) {
 *         snprintf(res->body, HTTP_RESPONSE_SIZE, "Hello, %s\n", req->path);
 *         return 0;
 *     }
 *
 *     export module_t config = {
 *         .name = "hello",
 *         .author = "you",
 *         .routes = {{"/hello", "GET", hello, NONE}},
 *         .size = 1,
 *     };
 *
 * Conventions, for everything below:
 *
 *  1. What a handler is given - request, response, their maps and strings - belongs to the server and is valid until
 *     the handler returns. Copy what must live longer.
 *  2. What a module allocates (malloc, strdup, asprintf, getline, jansson ...) comes from a heap of its own version and
 *     is given back whole when that version goes. A block that res->body points to when the handler returns is freed by
 *     the server once the answer is sent; nothing else is.
 *  3. Static variables live as long as the version: a new version starts with fresh ones.
 *  4. Handlers run on several threads at a time. Guard what they share (pthread_mutex_t, atomics).
 *  5. Handlers may block. The server goes on with its other clients meanwhile.
 *  6. Modules of two generations use this header. Callbacks take what the example shows, or a struct cweb_context * in
 *     front of it; one module may have both kinds. Where the two differ further it is said below.
 *  7. exit, abort and a failed assert end the call, not the server: its client gets a 500. So do signals that a module
 *     sends to itself; SIGTERM and SIGINT end the server in order. syscall() does by number what the function of the
 *     name does here, and fails with EPERM where that would act on the whole server.
 *  7. What a module prints to stdout or stderr goes to the server's log and to /mgnt/logs, line by line, with its name.
 *     Neither is ever buffered, and printing does not wait for anybody.
 *
 * It is clean as C99 to C23 with -Wall -Wextra and GNU extensions. The server compiles modules as gnu17.
 */
#ifndef CWEB_H
#define CWEB_H

#include <ctype.h>
#include <jansson.h>
#include <pthread.h>
#include <regex.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than ten routes, sockets or jobs: #define these before the #include. */
#ifndef CWEB_MAX_ROUTES
#define CWEB_MAX_ROUTES 10
#endif
#ifndef CWEB_MAX_WEBSOCKETS
#define CWEB_MAX_WEBSOCKETS 10
#endif
#ifndef CWEB_MAX_JOBS
#define CWEB_MAX_JOBS 10
#endif

/* Bytes of the buffer that res->body points to when a handler starts. It is all zero. */
#define HTTP_RESPONSE_SIZE 8192

#define HTTP_VERSION "HTTP/1.1"

#ifndef __cplusplus
/* Makes `config` visible to the server. */
#define export __attribute__((visibility("default")))
#else
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------------- methods */

/* The method of a request. HEAD requests reach the route for GET unless there is a route for HEAD. */
typedef enum http_method {
    HTTP_ERR = -1, /* a method that is not in this list */
    HTTP_GET = 0,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_HEAD
} http_method_t;

/* Their names: http_methods[HTTP_GET] is "GET". */
extern const char *http_methods[];

/* -------------------------------------------------------------------------------------------------------- status */

/* Each name has its status code as its value (RFC 9110 section 15), so `res->status = 418` is as good. */
typedef enum http_error {
    HTTP_000_UNKNOWN = 0, /* nothing was set: the answer is 200 */
    HTTP_101_SWITCHING_PROTOCOLS = 101,
    HTTP_200_OK = 200,
    HTTP_201_CREATED = 201,
    HTTP_202_ACCEPTED = 202,
    HTTP_204_NO_CONTENT = 204,
    HTTP_206_PARTIAL_CONTENT = 206,
    HTTP_301_MOVED_PERMANENTLY = 301,
    HTTP_302_FOUND = 302,
    HTTP_303_SEE_OTHER = 303,
    HTTP_304_NOT_MODIFIED = 304,
    HTTP_307_TEMPORARY_REDIRECT = 307,
    HTTP_308_PERMANENT_REDIRECT = 308,
    HTTP_400_BAD_REQUEST = 400,
    HTTP_401_UNAUTHORIZED = 401,
    HTTP_403_FORBIDDEN = 403,
    HTTP_404_NOT_FOUND = 404,
    HTTP_405_METHOD_NOT_ALLOWED = 405,
    HTTP_409_CONFLICT = 409,
    HTTP_410_GONE = 410,
    HTTP_413_PAYLOAD_TOO_LARGE = 413,
    HTTP_414_URI_TOO_LONG = 414,
    HTTP_415_UNSUPPORTED_MEDIA_TYPE = 415,
    HTTP_422_UNPROCESSABLE_CONTENT = 422,
    HTTP_426_UPGRADE_REQUIRED = 426,
    HTTP_429_TOO_MANY_REQUESTS = 429,
    HTTP_500_INTERNAL_SERVER_ERROR = 500,
    HTTP_501_NOT_IMPLEMENTED = 501,
    HTTP_503_SERVICE_UNAVAILABLE = 503
} http_error_t;

/* ---------------------------------------------------------------------------------------------------------- maps */

/*
 * Text to pointer. The maps of requests and responses match keys without regard to case where HTTP does (headers); a
 * map that map_create made matches them exactly. One thread at a time.
 */
struct map_entry {
    char *key;
    void *value;
};

struct map {
    struct map_entry *entries; /* entries[0] to entries[size - 1] are in use; do not write to them */
    size_t size;
    size_t capacity;
    const void *host; /* the server's own */
};

typedef enum map_error {
    MAP_OK = 0,
    MAP_ERR = 1,
    MAP_FULL = 2,
    MAP_KEY_NOT_FOUND = 3
} map_error_t;

/* A new map with room for `capacity` entries; it grows beyond them. NULL when memory is out. Free with map_destroy. */
struct map *map_create(size_t capacity);
/* Frees the map and its keys, not its values. NULL is allowed; a map of a request or response is left alone. */
void map_destroy(struct map *map);
/*
 * Adds a value. Copies the key and keeps the value pointer; the header map of a response copies the value's text too,
 * and sends it. MAP_OK, also when the key is there already (its first value stays); -MAP_ERR when an argument is NULL,
 * is not what a header may be, or memory is out; -MAP_FULL when a map of a request or response would have more than
 * 1,000 entries, or more than 1 MiB of texts that it has copied.
 */
int map_insert(struct map *map, const char *key, void *value);
/* The value of a key, or NULL. */
void *map_get(const struct map *map, const char *key);
/* Takes a key out. MAP_OK, or -MAP_KEY_NOT_FOUND. */
int map_remove(struct map *map, const char *key);
/* The number of entries; 0 for NULL. */
size_t map_size(const struct map *map);

/*
 * The same maps as the context-first generation calls them: their values are texts from malloc, which belong to the
 * map.
 */
typedef struct map http_kv_store_t;

http_kv_store_t *http_kv_create(size_t capacity);
/* Frees the store and its keys; with `free_values` its values too, as far as they are blocks from malloc. */
void http_kv_destroy(http_kv_store_t *store, int free_values);
/*
 * Adds a value and takes it over: where the store keeps a copy of its own (those of requests and responses do) or has
 * the key already, a block from malloc is freed at once. MAP_OK, or an error as of map_insert: then the value is still
 * the caller's.
 */
int http_kv_insert(http_kv_store_t *store, const char *key, char *value);
/* The value of a key, or NULL. It stays the store's. */
char *http_kv_get(const http_kv_store_t *store, const char *key);
size_t http_kv_size(const http_kv_store_t *store);

/* -------------------------------------------------------------------------------------------- request and response */

typedef enum http_version {
    HTTP_VERSION_1_0 = 10,
    HTTP_VERSION_1_1 = 11
} http_version_t;

struct http_request {
    http_method_t method;
    char *path;          /* as sent, without the query string */
    char *body;          /* never NULL; a NUL that content_length does not count stands behind it */
    int content_length;  /* bytes of body */
    struct map *params;  /* query parameters, percent-decoded */
    struct map *headers; /* by name, whatever its case */
    struct map *data;    /* fields of an urlencoded or multipart body, decoded */
    int websocket;       /* 1: the client asks to change to WebSocket */
    char keep_alive;     /* 1: the connection stays open after the answer */
    char close;          /* 1: it does not */
    http_error_t status; /* not used */
    pthread_t tid;       /* the thread that the handler runs on */
    http_version_t version;
    int transfer_encoding_chunked; /* 1: the body came in chunks; here it is in one piece all the same */
};

struct http_response {
    http_error_t status; /* 0 means 200 */
    /* Date, Content-Length and Connection are the server's; Content-Type is text/html; charset=utf-8 unless set. */
    struct map *headers;
    /*
     * Points to HTTP_RESPONSE_SIZE zeroed bytes when the handler starts. May be pointed to other memory: a literal, a
     * static array, or a block from malloc, which the server then frees. NULL is an empty body.
     */
    char *body;
    int content_length; /* bytes of body; 0: as many as strlen(body) */
};

typedef struct http_request http_request_t;
typedef struct http_response http_response_t;

/* ---------------------------------------------------------------------------------------------------- WebSockets */

/*
 * One open socket. The callbacks of a socket run one after the other, those of different sockets at the same time. A
 * socket outlives the version of the module that it was opened under: its next message goes to the newest one.
 *
 * What has a struct websocket * may be called from any thread, at any time from on_open on, also when the socket has
 * long been closed: then it is -1 (or NULL, 0 or ""), and nothing happens.
 *
 * What a slow peer has not read yet waits in the server, up to 16 MiB. Beyond that send is -1, and the socket is closed
 * with 1013.
 */
struct websocket {
    char *session; /* NULL or a string */
    int client_fd; /* a number that no other open socket has; not to be read or written */
    /* Sends one text message. 0, or -1 when the socket is gone or this is not UTF-8. */
    int (*send)(struct websocket *, const char *message, size_t length);
    /* Begins the closing handshake, with 1000. 0, or -1 when the socket is gone. */
    int (*close)(struct websocket *);
};

typedef struct websocket websocket_t;

struct http_request;

/* Sends one binary message. 0, or -1 when the socket is gone. */
int cweb_ws_send_binary(struct websocket *ws, const void *message, size_t length);
/*
 * Begins the closing handshake. `code` is 1000 (normal), 1008 (policy), 1011 (internal error) ... or 3000 to 4999, which
 * are the application's; `reason` is UTF-8 of at most 123 bytes, or NULL. 0; -1 when the socket is gone or an argument
 * is none of these.
 */
int cweb_ws_close(struct websocket *ws, int code, const char *reason);

/*
 * Sends to every open socket of a path, this module's or another's, without a list of one's own. The number of sockets
 * that it went to; -1 when an argument is NULL, or a text is not UTF-8.
 */
int cweb_ws_broadcast(const char *path, const char *message, size_t length);
int cweb_ws_broadcast_binary(const char *path, const void *message, size_t length);
/* The number of open sockets of a path. */
int cweb_ws_count(const char *path);
/*
 * One open socket of a path after the other, the longest open first: NULL begins, NULL ends. A socket that has been
 * closed meanwhile may be given as `previous`.
 *
 *     for (struct websocket *ws = cweb_ws_next("/chat", NULL); ws; ws = cweb_ws_next("/chat", ws)) ...
 */
struct websocket *cweb_ws_next(const char *path, struct websocket *previous);

/*
 * A pointer of the module's own for each socket; NULL until it is set. Memory of the version that set it (malloc, a
 * static variable) stays until the socket is closed or the pointer is set anew, even when a newer version is live.
 */
void cweb_ws_set_data(struct websocket *ws, void *data);
void *cweb_ws_get_data(struct websocket *ws);

/* In on_close: the code that the peer closed with; 1005 when it gave none, 1006 when the connection just ended. */
int cweb_ws_close_code(struct websocket *ws);
/* In on_message: 1 when the message came as binary, 0 when as text (then it is UTF-8). */
int cweb_ws_is_binary(struct websocket *ws);
/*
 * What the socket was opened with. The texts stay for a while after it is closed: whoever walks over sockets, or works
 * on another thread, may look at them; copy what has to last.
 *
 * The path. */
const char *cweb_ws_path(struct websocket *ws);
/* A query parameter of the request that it was opened with, decoded; NULL when there is none. */
const char *cweb_ws_param(struct websocket *ws, const char *name);
/* The subprotocol agreed on, which is the first that the client offered; "" when it offered none. */
const char *cweb_ws_protocol(struct websocket *ws);
/* In on_open: the request that the socket was opened with, with its headers and parameters. Else NULL. */
struct http_request *cweb_ws_request(struct websocket *ws);

/* ------------------------------------------------------------------------------------------------------- context */

struct container;
struct scheduler;
struct sqldb;
struct crypto;
struct symbols;
struct job_system;

/*
 * What callbacks of the context-first generation take before the rest. There is one for each version of a module, and
 * it lives as long as that does: threads of the module's own may use it.
 */
struct cweb_context {
    struct container *cache;
    struct scheduler *scheduler;
    struct sqldb *database;
    struct crypto *crypto;
    struct symbols *symbols;
    struct job_system *jobs; /* NULL: see below */
};

typedef struct cweb_context cweb_context_t;

/*
 * What all modules share, each in two ways: by these names, and as members of the context, which are the same objects.
 * They live as long as the server process, so what one version leaves there the next one finds. Any thread may use
 * them. They cannot be written to.
 */
extern struct container *cache;
extern struct scheduler *scheduler;
extern struct sqldb *database;
extern struct symbols *symbols;
extern struct crypto *crypto;

/*
 * Some functions of the context-first generation take a pointer more, in front of what those of the documented one
 * take: they are declared without their parameters, and both ways are told below. Which of the two a call is shows in
 * its first argument, because nothing else can be the address of that object.
 */
#if defined(__cplusplus) || \
    (defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L && (defined(__clang__) || __GNUC__ > 12))
#define CWEB_EITHER_WAY ...
#else
#define CWEB_EITHER_WAY
#endif
#if defined(__clang__) && defined(__has_warning)
#if __has_warning("-Wdeprecated-non-prototype")
#pragma clang diagnostic ignored "-Wdeprecated-non-prototype"
#endif
#endif

/* --------------------------------------------------------------------------------------------------------- cache */

/*
 * Names to pointers, and below it names to bytes; the two do not see each other's names.
 *
 * A pointer is kept as it is. One to a static variable is gone with the version whose variable it is: the name is
 * dropped then, and the log says so. A block from malloc keeps the heap of the version that made it in memory, until
 * the name is removed or set anew; nothing frees the block but free.
 */
struct container {
    /*
     * 0; -1 when an argument is NULL, or the names take more memory than --cache-memory. The first value of a name
     * stays, and the answer is 0 then too, unless it is an older version's static variable.
     */
    int (*set)(const char *name, void *value);
    void *(*get)(const char *name); /* NULL when there is none */
};

/* Either way: (name, value), or (cache, name, value). Like set, but the last value stays. */
int container_set(CWEB_EITHER_WAY);
/* (name), or (cache, name) */
void *container_get(CWEB_EITHER_WAY);
/* (name), or (cache, name). 0; -1 when there is none of the name. */
int container_remove(CWEB_EITHER_WAY);

/*
 * Bytes under a name, copied: they belong to no version. They stay for `ttl_ms` milliseconds, or for good when that is
 * 0; when all of them take more than --cache-memory, those that were not used for the longest time go. 0; -1 when an
 * argument is NULL or negative, or there is no room for so many bytes.
 */
int cweb_cache_put(const char *name, const void *bytes, size_t length, long ttl_ms);
/*
 * Copies the bytes of a name to `buffer`, at most `size` of them, without a NUL. The answer is how many there are: more
 * than `size` when some were left out. -1 when there are none of the name, or no more.
 */
long cweb_cache_fetch(const char *name, void *buffer, size_t size);
/* From now on they stay for so long; with 0 they are gone at once. 0; -1 when there are none of the name. */
int cweb_cache_expire(const char *name, long ttl_ms);

/* ----------------------------------------------------------------------------------------------------- scheduler */

typedef enum worker_state {
    ASYNC, /* on another thread, soon */
    SYNC   /* on this thread, now: what goes wrong in it is this call's */
} worker_state_t;

/*
 * Work runs under the same guard and deadline as a request: a fault ends it, is reported, and has the module started
 * afresh. It begins in the order in which it was added; up to 16 pieces of a module's run at a time. What was added
 * runs before unload does, also when the version is replaced meanwhile.
 */
struct scheduler {
    /* 0; -1 when work is NULL, 65,536 pieces of the module are waiting, or the version has been unloaded. */
    int (*add)(void (*work)(void *), void *data, worker_state_t state);
};

/* Either way: (work, data, state), or (scheduler, work, data, state). */
int scheduler_add(CWEB_EITHER_WAY);

/*
 * Runs work once, when `ms` milliseconds have passed, or each time that they have. A run that takes longer leaves
 * out those that would meet it: there are never two of one timer at a time. Timers run while their version is live, and
 * end when it is replaced or removed: a timer for good is started in onload. The answer is the timer's number; -1 when
 * work is NULL, `ms` is negative (or 0, of cweb_every_ms), the version has 10,000 timers, or it has been replaced.
 */
long cweb_after_ms(long ms, void (*work)(void *), void *data);
long cweb_every_ms(long ms, void (*work)(void *), void *data);
/* No run begins any more; one that has begun goes on. 0; -1 when this version has no timer of that number. */
int cweb_cancel(long timer);

/* ------------------------------------------------------------------------------------------------------ database */

/*
 * One SQLite database for all modules: in memory, or the file of --database. Each thread has its own connection, so
 * a transaction is a thread's; it ends with the call at the latest: what is not committed by then is rolled back. A
 * statement may be used by any thread, one at a time, and stays until it is finalized or its version goes; one that is
 * left in the middle of its rows is reset when the call ends. Who finds the database locked waits, up to 5 seconds.
 * A transaction that reads before it writes had better BEGIN IMMEDIATE. What a call sets with PRAGMA or sqlite3_limit,
 * attaches or makes TEMP ends with the call; the PRAGMAs busy_timeout and locking_mode do nothing.
 *
 * `db` is for SQLite's own functions. In those that run, prepare or ask about something (sqlite3_exec,
 * sqlite3_prepare_v2, sqlite3_errmsg, sqlite3_changes, sqlite3_last_insert_rowid ...) it stands for the connection of
 * the thread that calls; sqlite3_db_handle of a statement is `db` again. It cannot be closed, functions of a module
 * cannot be registered with it, and there are no blob handles of it and no backups into it. What is bound to a statement
 * is copied, and a destructor is called at once; sqlite3_bind_pointer is SQLITE_MISUSE.
 *
 * All of these mean what SQLite's functions of the same name mean. The first column is the documented way; in the other
 * generation each takes the struct sqldb * in front.
 */
struct sqldb {
    sqlite3 *db;
    int (*exec)(CWEB_EITHER_WAY);      /* (sql, callback, argument, char **error); give the error to `free` below */
    int (*prepare)(CWEB_EITHER_WAY);   /* (sql, bytes or -1, &statement, &rest or NULL); or (sql, &statement) */
    int (*step)(CWEB_EITHER_WAY);      /* (statement) */
    int (*finalize)(CWEB_EITHER_WAY);  /* (statement) */
    int (*bind_text)(CWEB_EITHER_WAY); /* (statement, index, text, bytes or -1, SQLITE_TRANSIENT or so); it is copied */
    int (*bind_int)(CWEB_EITHER_WAY);  /* (statement, index, int) */
    const unsigned char *(*column_text)(CWEB_EITHER_WAY); /* (statement, column); valid until the next step */
    int (*column_int)(CWEB_EITHER_WAY);                   /* (statement, column) */
    int (*column_count)(CWEB_EITHER_WAY);                 /* (statement) */
    int (*reset)(CWEB_EITHER_WAY);                        /* (statement) */
    int (*changes)(CWEB_EITHER_WAY);                      /* (), of the thread's last statement */
    sqlite3_int64 (*last_insert_rowid)(CWEB_EITHER_WAY);  /* (), the same */
    void (*free)(CWEB_EITHER_WAY);                        /* (what exec has set error to) */
};

/* ------------------------------------------------------------------------------------------------------- symbols */

/*
 * Functions and variables of other modules, as long as they are exported: neither static nor hidden. resolv takes
 * (module, name), or (user_data, module, name). The answer is the live version's, or NULL. That version stays in memory
 * while the version that asked does, even when a newer one is live; asked again, resolv answers with the newer one's.
 * What a function of another module does is part of the call that it is called in: its faults, its malloc, its time.
 */
struct symbols {
    void *(*resolv)(CWEB_EITHER_WAY);
    void *user_data;
};

/* -------------------------------------------------------------------------------------------------------- crypto */

/* Bytes that sign_token writes, with the NUL. */
#define CWEB_SIGNATURE_SIZE 44

/*
 * Signatures (HMAC-SHA256) with a key that only the server has. It lives as long as the server, and with --modules as
 * long as the directory, so what one version has signed the next one verifies.
 */
struct crypto_ops {
    /* Writes the signature of a text: letters, digits, - and _. 0; -1 when an argument is NULL or out is too small. */
    int (*sign_token)(const char *token, char *out, unsigned out_len);
    /* 0 when `signature` is that of the text `token`, which ends at its NUL or after token_len bytes; else -1. */
    int (*verify_token)(const char *signature, char *token, size_t token_len);
};

struct crypto {
    struct crypto_ops *ops;
    /* The same two. */
    int (*sign_token)(const char *token, char *out, unsigned out_len);
    int (*verify_token)(const char *signature, char *token, size_t token_len);
};

/* ---------------------------------------------------------------------------------------------------------- jobs */

/*
 * Modules of the context-first generation may have jobs. They compile here and do not run: jobs_create is -1, and the
 * answer to a deploy says so.
 */
typedef struct job_payload {
    const char *json;
    size_t json_len;
} job_payload_t;

typedef struct job_ctx {
    const char *job_uuid;
    int (*emit_event)(struct job_ctx *job, const char *type, const char *data_json);
    int (*set_result)(struct job_ctx *job, const char *result_json);
    int (*set_error)(struct job_ctx *job, const char *text);
} job_ctx_t;

typedef struct job_info {
    const char *name;
    int (*run)(struct cweb_context *context, const job_payload_t *payload, job_ctx_t *job);
    void (*cancel)(struct cweb_context *context, const char *job_uuid);
} job_info_t;

typedef struct cweb_uuid {
    char text[37];
} cweb_uuid_t;

/* -1, and `out`, unless it is NULL, is the empty text. */
int jobs_create(const char *job_name, const char *payload_json, cweb_uuid_t *out);

/* -------------------------------------------------------------------------------------------------------- module */

/*
 * Callbacks are declared without their parameters, because two generations of modules share this header. What they
 * take is checked by the server when the module is posted, and a wrong type is an error with its line:
 *
 *     int  handler(struct http_request *, struct http_response *);
 *     void on_open(struct websocket *);
 *     void on_message(struct websocket *, const char *message, size_t length);   a NUL stands behind the message
 *     void on_close(struct websocket *);
 *     void onload(void);
 *     void unload(void);
 *
 * or each of them with a struct cweb_context * in front. `void unload()` is one without.
 *
 * A handler's return value means nothing but that a negative one with no status set is a 500.
 */
#if defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L
/* In C23 empty parentheses say "no parameters". */
typedef void *entry_t;
typedef void *cweb_callback_t;
#else
typedef int (*entry_t)();
typedef void (*cweb_callback_t)();
#endif

/* The only flag of a route. */
#define NONE 0

/* Written by position: {"/path", "GET", handler, NONE}. */
typedef struct route_info {
    /* A path, or a POSIX extended regular expression for whole paths, as soon as one of .[]()*+?{}^$|\ is in it. */
    const char *path;
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" or "HEAD" */
    entry_t handler;
    int flags;
} route_info_t;

/* Written by position: {"/path", on_open, on_message, on_close}. Callbacks may be NULL. */
typedef struct ws_info {
    const char *path; /* no pattern */
    cweb_callback_t on_open;
    cweb_callback_t on_message;
    cweb_callback_t on_close;
} websocket_info_t;

/* A module defines one of these: `export module_t config = { ... };`. It is read when the module is deployed. */
typedef struct module {
    char name[128];   /* who the module is: a source with the same name replaces it. Printable ASCII, no / or .. */
    char author[128];
    route_info_t routes[CWEB_MAX_ROUTES];
    int size; /* number of routes in use */
    websocket_info_t websockets[CWEB_MAX_WEBSOCKETS];
    int ws_size; /* number of websockets in use */
    /* Runs before the first request is routed here, and before the old version's unload. */
    cweb_callback_t onload;
    /* Runs once, after the last call into this version has returned. Threads of the module's own should end by then:
     * one that runs on keeps the version in memory, and is told of in the log after another deadline. */
    cweb_callback_t unload;
    /* Milliseconds that a call of this module may take: then it is ended and its client gets a 504. 0: as the server
     * was started (--deadline-ms, 10 s by default). */
    int deadline_ms;
    job_info_t jobs[CWEB_MAX_JOBS];
    int job_size; /* number of jobs in use */
} module_t;

#ifdef __cplusplus
}
#endif

#endif
