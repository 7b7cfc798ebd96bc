/* case: a module may have a WebSocket and no route; a plain request to it is told so
 * expect: 200
 * get: /case/websocket_listed -> 426 WebSocket
 */
#include <cweb.h>

static void on_open(struct websocket *ws) { (void)ws; }
static void on_message(struct websocket *ws, const char *message, size_t length) { ws->send(ws, message, length); }

export module_t config = {
    .name = "websocket_listed",
    .websockets = {{"/case/websocket_listed", on_open, on_message, NULL}},
    .ws_size = 1,
};
