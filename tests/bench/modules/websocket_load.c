/* The other end of what measures WebSockets. /echo sends back what comes; /broadcast takes "BYTES NUMBER" and sends
   everybody there a message of so many bytes that begins with the number, and GET /reached says how many those were the
   last time; /sleep answers after two seconds. */
#include <cweb.h>
#include <unistd.h>

static _Atomic int reached;

static void echo(struct websocket *ws, const char *message, size_t length) {
    cweb_ws_send_binary(ws, message, length);
}

static void broadcast(struct websocket *ws, const char *message, size_t length) {
    char bytes[65536] = {0};
    char *end;
    const size_t count = strtoul(message, &end, 10);
    const uint64_t number = strtoull(end, NULL, 10);
    (void)length;
    if (count < sizeof number || count > sizeof bytes) return;
    memcpy(bytes, &number, sizeof number);
    reached = cweb_ws_broadcast_binary(cweb_ws_path(ws), bytes, count);
}

static void sleep_and_answer(struct websocket *ws, const char *message, size_t length) {
    sleep(2);
    cweb_ws_send_binary(ws, message, length);
}

static int show_reached(struct http_request *req, struct http_response *res) {
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", reached);
    return 0;
}

export module_t config = {
    .name = "websocket_load",
    .author = "cweb",
    .routes = {{"/reached", "GET", show_reached, NONE}},
    .size = 1,
    .websockets = {{"/echo", NULL, echo, NULL},
                   {"/broadcast", NULL, broadcast, NULL},
                   {"/sleep", NULL, sleep_and_answer, NULL}},
    .ws_size = 3,
};
