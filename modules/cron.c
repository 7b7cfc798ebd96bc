/* Work that nobody waits for: a timer that runs ten times a second for as long as this version is live, and work that a
   request puts off until after its answer. Nothing has to be stopped in unload: timers end with their version. */
#include <cweb.h>

static _Atomic unsigned long ticks, letters;

static void tick(void *data) {
    (void)data;
    ++ticks;
}

/* On a thread of the server's, under the same guard and deadline as a request. */
static void send_letter(void *data) {
    char *text = data;
    letters += strlen(text);
    free(text);
}

static int show(struct http_request *req, struct http_response *res) {
    (void)req;
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%lu ticks, %lu letters\n", ticks, letters);
    return 0;
}

static int put_off(struct http_request *req, struct http_response *res) {
    /* What the request holds is gone when the handler returns. */
    char *text = strdup(req->body);
    if (text == NULL || scheduler->add(send_letter, text, ASYNC) != 0) {
        free(text);
        res->status = HTTP_503_SERVICE_UNAVAILABLE;
        return 0;
    }
    res->status = HTTP_202_ACCEPTED;
    return 0;
}

static void start(void) {
    cweb_every_ms(100, tick, NULL);
}

export module_t config = {
    .name = "cron",
    .author = "cweb",
    .routes = {
        {"/cron", "GET", show, NONE},
        {"/cron", "POST", put_off, NONE},
    },
    .size = 2,
    .onload = start,
};
