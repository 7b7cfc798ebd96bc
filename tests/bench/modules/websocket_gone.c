/* Keeps the socket that was opened last on /gone, also when it has been closed. GET /gone?calls=N sends to it N times
   from a thread of its own and tells how often that was refused, and how long a call took. */
#include <cweb.h>
#include <time.h>

static struct websocket *_Atomic kept;

struct calls {
    struct websocket *ws;
    long wanted, refused;
    double ns;
};

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *send_all(void *data) {
    struct calls *calls = data;
    const double start_ns = now_ns();
    for (long i = 0; i < calls->wanted; ++i) calls->refused += calls->ws->send(calls->ws, "gone", 4) == -1;
    calls->ns = (now_ns() - start_ns) / (double)calls->wanted;
    return NULL;
}

static void keep(struct websocket *ws) {
    kept = ws;
}

static int send_to_kept(struct http_request *req, struct http_response *res) {
    const char *count = map_get(req->params, "calls");
    struct calls calls = {.ws = kept, .wanted = count == NULL ? 0 : atol(count)};
    pthread_t thread;
    if (calls.ws == NULL || calls.wanted < 1 || pthread_create(&thread, NULL, send_all, &calls) != 0) return -1;
    pthread_join(thread, NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "{\"refused\": %ld, \"ns\": %.1f, \"open\": %d}", calls.refused, calls.ns,
             cweb_ws_count("/gone"));
    return 0;
}

export module_t config = {
    .name = "websocket_gone",
    .author = "cweb",
    .routes = {{"/gone", "GET", send_to_kept, NONE}},
    .size = 1,
    .websockets = {{"/gone", keep, NULL, NULL}},
    .ws_size = 1,
};
