/* case: a WebSocket path without its leading slash
 * expect: 422
 * stage: config
 * says: chat
 * line: 13
 */
#include <cweb.h>

static void on_open(struct websocket *ws) { (void)ws; }

export module_t config = {
    .name = "websocket_path_without_slash",
    .websockets = {{"chat", on_open, NULL, NULL}},
    .ws_size = 1,
};
