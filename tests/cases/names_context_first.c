/* case: every name of the context-first generation that concerns requests, responses, stores, jobs and config
 * expect: 200
 * says: `config` has 1 job: this server does not run jobs
 * says: calls jobs_create: this server does not run jobs, so it returns -1
 * get: /case/names_context_first/stores -> 200 all hold
 * get: /case/names_context_first/request?a=1%202 -> 200 all hold
 * get: /case/names_context_first/response -> 418 short and stout
 * get: /case/names_context_first/jobs -> 200 all hold
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

static cweb_context_t *loaded_with;

static int stores(cweb_context_t *ctx, http_request_t *req, http_response_t *res) {
    (void)req;
    HOLDS(ctx != NULL && ctx == loaded_with);
    http_kv_store_t *store = http_kv_create(1);
    char *value = strdup("1");
    HOLDS(store != NULL && http_kv_size(store) == 0);
    HOLDS(http_kv_insert(store, "key", value) == 0 && http_kv_get(store, "key") == value);
    HOLDS(http_kv_insert(store, "key", strdup("2")) == 0 && strcmp(http_kv_get(store, "key"), "1") == 0);
    HOLDS(http_kv_insert(store, "other", strdup("3")) == 0 && http_kv_size(store) == 2 && store->size == 2);
    HOLDS(http_kv_get(store, "absent") == NULL && http_kv_get(NULL, "key") == NULL && http_kv_size(NULL) == 0);
    HOLDS(strcmp(store->entries[1].key, "other") == 0);
    char *shown = store->entries[1].value;
    HOLDS(strcmp(shown, "3") == 0);
    http_kv_destroy(store, 1);
    store = http_kv_create(4);
    HOLDS(http_kv_insert(store, "kept", value = strdup("4")) == 0);
    http_kv_destroy(store, 0);
    HOLDS(strcmp(value, "4") == 0);
    free(value);
    strcpy(res->body, "all hold");
    return 0;
}

static int request(cweb_context_t *ctx, http_request_t *req, http_response_t *res) {
    http_version_t version = req->version;
    HOLDS(ctx == loaded_with && version == HTTP_VERSION_1_1 && version != HTTP_VERSION_1_0);
    HOLDS(req->transfer_encoding_chunked == 0);
    HOLDS(req->method == HTTP_GET && strcmp(req->path, "/case/names_context_first/request") == 0);
    HOLDS(strcmp(http_kv_get(req->params, "a"), "1 2") == 0 && http_kv_size(req->params) == 1);
    HOLDS(strcmp(req->params->entries[0].key, "a") == 0);
    HOLDS(http_kv_get(req->headers, "HOST") != NULL && http_kv_size(req->data) == 0);
    HOLDS(pthread_equal(req->tid, pthread_self()));
    strcpy(res->body, "all hold");
    return 0;
}

static int respond(cweb_context_t *ctx, http_request_t *req, http_response_t *res) {
    (void)req;
    char literal[] = "a stack buffer";
    if (ctx != loaded_with || http_kv_insert(res->headers, "X-Case", strdup("a block")) != 0) return -1;
    if (http_kv_insert(res->headers, "X-Other", literal) != 0) return -1;
    if (strcmp(http_kv_get(res->headers, "x-case"), "a block") != 0 || http_kv_size(res->headers) != 2) return -1;
    res->body = strdup("short and stout");
    res->status = 418;
    return -1;
}

static int jobs(struct cweb_context *ctx, struct http_request *req, struct http_response *res) {
    (void)req;
    cweb_uuid_t uuid;
    HOLDS(ctx->jobs == NULL && sizeof uuid.text == 37);
    strcpy(uuid.text, "none");
    HOLDS(jobs_create("sum", "{}", &uuid) == -1 && jobs_create("sum", "{}", &uuid) == -1);
    HOLDS(strcmp(uuid.text, "") == 0 && jobs_create("sum", "{}", NULL) == -1);
    strcpy(res->body, "all hold");
    return 0;
}

static int run(struct cweb_context *ctx, const job_payload_t *payload, job_ctx_t *job) {
    (void)ctx;
    if (payload->json == NULL || payload->json_len == 0) return job->set_error(job, "no payload");
    if (job->emit_event(job, "begun", job->job_uuid) != 0) return -1;
    return job->set_result(job, payload->json);
}

static void cancel(struct cweb_context *ctx, const char *job_uuid) {
    (void)ctx;
    (void)job_uuid;
}

static void load(cweb_context_t *ctx) { loaded_with = ctx; }

static void leave(cweb_context_t *ctx) {
    if (ctx != loaded_with) abort();
}

export module_t config = {
    .name = "names_context_first",
    .author = "cases",
    .routes = {{"/case/names_context_first/stores", "GET", stores, NONE},
               {"/case/names_context_first/request", "GET", request, NONE},
               {"/case/names_context_first/response", "GET", respond, NONE},
               {"/case/names_context_first/jobs", "GET", jobs, NONE}},
    .size = 4,
    .onload = load,
    .unload = leave,
    .jobs = {{"sum", run, cancel}},
    .job_size = 1,
};
