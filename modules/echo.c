/* Sends back every WebSocket message as it came. Post a changed version while somebody is connected: the socket stays
   open, and its next message runs the new code. In a browser's console:
   ws = new WebSocket('ws://localhost:8080/echo'); ws.onmessage = e => console.log(e.data);
   ws.send('hello') */
#include <cweb.h>

static void on_open(struct websocket *ws) {
    printf("echo: socket %d is open\n", ws->client_fd);
}

static void on_message(struct websocket *ws, const char *message, size_t length) {
    /* Binary messages hold any bytes; a text is UTF-8, and a NUL that length does not count stands behind it. */
    if (cweb_ws_is_binary(ws)) {
        printf("echo: socket %d sent %zu bytes\n", ws->client_fd, length);
        cweb_ws_send_binary(ws, message, length);
        return;
    }
    printf("echo: socket %d says: %s\n", ws->client_fd, message);
    ws->send(ws, message, length);
}

static void on_close(struct websocket *ws) {
    printf("echo: socket %d is closed\n", ws->client_fd);
}

export module_t config = {
    .name = "echo",
    .author = "cweb",
    .websockets = {{"/echo", on_open, on_message, on_close}},
    .ws_size = 1,
};
