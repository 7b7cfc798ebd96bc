/* What a WebSocket server on epoll can come to at the least: it believes every handshake and every frame, takes the
   mask off where the payload lies, puts its own head before it, and writes once for what a read brought.

   websocket_floor PORT: one thread, on the loopback address, until it is killed. /echo sends back what comes.
   /broadcast takes "BYTES NUMBER" and sends everybody there a message of so many bytes that begins with the number. */
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { most_events = 256, buffer_bytes = 256 * 1024, longest_head = 10, mask_bytes = 4 };

struct peer {
    int fd;
    enum { opening, echoing, listening } state;
    struct peer *next, *previous; /* of those that listen */
    size_t rest_bytes;
    unsigned char *rest; /* of a frame that is not whole yet; NULL until there was one */
};

/* Shared by all: bytes stay in the processor's cache, and a peer at rest has no buffer. */
static unsigned char in[buffer_bytes + 1];
static struct peer *first_listener;

static void accept_all(int epoll, int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct peer *peer = calloc(1, sizeof *peer);
        if (peer == NULL) give_up("floor: calloc");
        peer->fd = fd;
        watch(epoll, fd, (epoll_data_t){.ptr = peer});
    }
}

static void forget(struct peer *peer) {
    if (peer->previous != NULL) peer->previous->next = peer->next;
    if (peer->next != NULL) peer->next->previous = peer->previous;
    if (first_listener == peer) first_listener = peer->next;
    close(peer->fd);
    free(peer->rest);
    free(peer);
}

/* Waits for a peer that reads slowly, with everybody else: no server may, a floor that is not asked to does. */
static int write_all(int fd, const void *bytes, size_t length) {
    for (const unsigned char *at = bytes; length > 0;) {
        const ssize_t written = write(fd, at, length);
        if (written < 0 && errno != EAGAIN) return -1;
        if (written < 0) {
            struct pollfd until = {.fd = fd, .events = POLLOUT};
            poll(&until, 1, -1);
            continue;
        }
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

/* -1: it is no handshake. */
static int open_socket(struct peer *peer, size_t length) {
    static const char name[] = "Sec-WebSocket-Key: ", guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    in[length] = '\0';
    const char *key = strstr((const char *)in, name);
    if (key == NULL || memmem(in, length, "\r\n\r\n", 4) == NULL) return -1;
    char joined[64], accept[32], answer[256];
    unsigned char digest[EVP_MAX_MD_SIZE];
    const int joined_length = snprintf(joined, sizeof joined, "%.24s%s", key + sizeof name - 1, guid);
    unsigned digest_length = 0;
    EVP_Digest(joined, (size_t)joined_length, digest, &digest_length, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)digest_length);
    const int answer_length = snprintf(answer, sizeof answer,
                                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                       "Connection: Upgrade\r\n"
                                       "Sec-WebSocket-Accept: %s\r\n\r\n",
                                       accept);
    peer->state = echoing;
    if (memcmp(in, "GET /broadcast ", 15) == 0) {
        peer->state = listening;
        peer->next = first_listener;
        if (first_listener != NULL) first_listener->previous = peer;
        first_listener = peer;
    }
    return write_all(peer->fd, answer, (size_t)answer_length);
}

/* 0 while the head is not whole. */
static size_t head_length(const unsigned char *frame, size_t there, size_t *payload_length) {
    if (there < 2) return 0;
    const unsigned short_length = frame[1] & 127;
    const size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
    if (there < 2 + length_bytes + mask_bytes) return 0;
    *payload_length = length_bytes == 0 ? short_length : 0;
    for (size_t i = 0; i < length_bytes; ++i) *payload_length = *payload_length << 8 | frame[2 + i];
    return 2 + length_bytes;
}

static void unmask(unsigned char *payload, size_t length, const unsigned char *mask) {
    typedef uint64_t wide __attribute__((vector_size(32)));
    uint32_t four;
    memcpy(&four, mask, sizeof four);
    const uint64_t eight = (uint64_t)four << 32 | four;
    size_t i = 0;
    for (wide block; i + sizeof block <= length; i += sizeof block) {
        memcpy(&block, payload + i, sizeof block);
        block ^= eight;
        memcpy(payload + i, &block, sizeof block);
    }
    for (; i < length; ++i) payload[i] ^= mask[i % mask_bytes];
}

static void broadcast(const char *order) {
    static unsigned char frame[buffer_bytes];
    char *end;
    const size_t length = strtoul(order, &end, 10);
    const uint64_t number = strtoull(end, NULL, 10);
    if (length < sizeof number || length > 65535) return;
    const size_t head = length < 126 ? 2 : 4;
    frame[0] = 0x82;
    frame[1] = length < 126 ? (unsigned char)length : 126;
    if (head == 4) {
        frame[2] = (unsigned char)(length >> 8);
        frame[3] = (unsigned char)length;
    }
    memcpy(frame + head, &number, sizeof number);
    for (struct peer *peer = first_listener, *next; peer != NULL; peer = next) {
        next = peer->next;
        write_all(peer->fd, frame, head + length);
    }
}

/* A client's head is longer than the server's by the mask, so that the first payload stays where it is, and those
   behind it move up to it. */
static int serve_frames(struct peer *peer, size_t length) {
    size_t at = 0, out = mask_bytes, payload_length;
    for (size_t head; (head = head_length(in + at, length - at, &payload_length)) > 0;) {
        unsigned char *const frame = in + at, *const payload = frame + head + mask_bytes;
        if (length - at < head + mask_bytes + payload_length) break;
        if ((frame[0] & 15) == 8) return -1;
        unmask(payload, payload_length, frame + head);
        at += head + mask_bytes + payload_length;
        if (peer->state == listening) {
            const unsigned char after = in[at];
            in[at] = '\0';
            broadcast((const char *)payload);
            in[at] = after;
            continue;
        }
        frame[1] &= 127;
        memmove(in + out, frame, head);
        if (in + out + head != payload) memmove(in + out + head, payload, payload_length);
        out += head + payload_length;
    }
    if (out > mask_bytes && write_all(peer->fd, in + mask_bytes, out - mask_bytes) != 0) return -1;
    peer->rest_bytes = length - at;
    if (peer->rest_bytes == 0) return 0;
    if (peer->rest == NULL && (peer->rest = malloc(buffer_bytes)) == NULL) give_up("floor: malloc");
    memcpy(peer->rest, in + at, peer->rest_bytes);
    return 0;
}

static void serve(struct peer *peer) {
    if (peer->rest_bytes > 0) memcpy(in, peer->rest, peer->rest_bytes);
    const ssize_t received = read(peer->fd, in + peer->rest_bytes, buffer_bytes - peer->rest_bytes);
    if (received < 0 && errno == EAGAIN) return;
    const size_t length = peer->rest_bytes + (size_t)received;
    if (received <= 0 || (peer->state == opening ? open_socket(peer, length) : serve_frames(peer, length)) != 0)
        forget(peer);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("usage: websocket_floor PORT\n", stderr);
        return 2;
    }
    const int listener = listen_on(atoi(argv[1]));
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, (epoll_data_t){.ptr = NULL});
    for (;;) {
        struct epoll_event events[most_events];
        const int count = epoll_wait(epoll, events, most_events, -1);
        for (int i = 0; i < count; ++i) {
            if (events[i].data.ptr == NULL) {
                accept_all(epoll, listener);
            } else {
                serve(events[i].data.ptr);
            }
        }
    }
}
