/* Handlers that fault, and one that does not end. The measurement puts the deadline in. */
#include <cweb.h>

static int calls;
static int *volatile nothing;
static const char *volatile wild = (const char *)0x123456789000;
static volatile unsigned long steps;

static int count(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "count %d", ++calls);
    return 0;
}

static int own(struct http_request *req, struct http_response *res) {
    (void)req;
    (void)res;
    return *nothing;
}

static int library(struct http_request *req, struct http_response *res) {
    (void)req;
    return snprintf(res->body, HTTP_RESPONSE_SIZE, "%s %d", wild, calls) < 0;
}

static int deeper(int depth) {
    volatile char frame[256];
    frame[0] = (char)depth;
    return deeper(depth + 1) + frame[0];
}

static int deep(struct http_request *req, struct http_response *res) {
    (void)req;
    (void)res;
    return deeper(calls);
}

static int loop(struct http_request *req, struct http_response *res) {
    (void)req;
    (void)res;
    for (;;) steps = steps + 1;
}

export module_t config = {
    .name = "faulty",
    .author = "cweb",
    .routes = {{"/faulty/count", "GET", count, NONE},
               {"/faulty/own", "GET", own, NONE},
               {"/faulty/library", "GET", library, NONE},
               {"/faulty/deep", "GET", deep, NONE},
               {"/faulty/loop", "GET", loop, NONE}},
    .size = 5,
    .deadline_ms = DEADLINE_MS,
};
