/* case: a WebSocket below /mgnt
 * expect: 409
 * stage: routes
 * says: is reserved
 * line: 13
 */
#include <cweb.h>

static void on_open(struct websocket *ws) { (void)ws; }

export module_t config = {
    .name = "websocket_below_mgnt",
    .websockets = {{"/mgnt/socket", on_open, NULL, NULL}},
    .ws_size = 1,
};
