/* case: WebSocket paths are accepted, and listed as not served yet
 * expect: 200
 * says: not served yet
 */
#include <cweb.h>

static void on_open(struct websocket *ws) { (void)ws; }
static void on_message(struct websocket *ws, const char *message, size_t length) { ws->send(ws, message, length); }

export module_t config = {
    .name = "websocket_listed",
    .websockets = {{"/case/websocket_listed", on_open, on_message, NULL}},
    .ws_size = 1,
};
