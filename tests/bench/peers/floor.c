/* What a server on epoll can come to at the least: it reads, finds where requests end, and writes as many prepared
   answers as it found. It looks at nothing else of a request but whether to close, and copies nothing.

   floor PORT: one thread, on the loopback address, until it is killed. */
#define _GNU_SOURCE
#include "floor.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { most_events = 256, most_answers = 64, read_bytes = 16384 };

/* One answer after the other, so that a batch is one write. */
struct answers {
    char text[most_answers * 256];
    size_t length; /* of one */
};

static struct answers kept_alive, closing;
static time_t prepared_at;

static void prepare(struct answers *answers, const char *date, const char *connection) {
    answers->length = (size_t)snprintf(answers->text, sizeof answers->text,
                                       "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                       "Content-Length: 14\r\n%s\r\ncount 1000000\n",
                                       date, connection);
    for (size_t i = 1; i < most_answers; ++i)
        memcpy(answers->text + i * answers->length, answers->text, answers->length);
}

/* A Date of the second in which the answer leaves. */
static void refresh(void) {
    const time_t now = time(NULL);
    if (now == prepared_at) return;
    prepared_at = now;
    struct tm parts;
    char date[64];
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    prepare(&kept_alive, date, "");
    prepare(&closing, date, "Connection: close\r\n");
}

static void accept_all(int epoll, int listener) {
    for (int peer; (peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
        watch(epoll, peer, (epoll_data_t){.fd = peer});
}

/* A request that comes in pieces is answered when its last piece comes; wrk sends none whose end is cut in two. */
static void serve(int peer) {
    char request[read_bytes];
    const ssize_t received = read(peer, request, sizeof request);
    if (received <= 0) {
        close(peer);
        return;
    }
    size_t count = 0;
    const char *at = request;
    const char *const end = request + received;
    while (count < most_answers && (at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        at += 4;
        ++count;
    }
    if (count == 0) return;
    /* Of a batch the first request tells for all. */
    const int last = memmem(request, (size_t)received, "onnection: close", 16) != NULL;
    const struct answers *answers = last ? &closing : &kept_alive;
    if (write(peer, answers->text, count * answers->length) < 0 || last) close(peer);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("usage: floor PORT\n", stderr);
        return 2;
    }
    const int listener = listen_on(atoi(argv[1]));
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, (epoll_data_t){.fd = listener});
    for (;;) {
        struct epoll_event events[most_events];
        const int count = epoll_wait(epoll, events, most_events, -1);
        refresh();
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == listener) {
                accept_all(epoll, listener);
            } else {
                serve(events[i].data.fd);
            }
        }
    }
}
