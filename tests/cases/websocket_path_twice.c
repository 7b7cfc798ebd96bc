/* case: one WebSocket path given twice
 * expect: 422
 * stage: config
 * says: is given twice
 * line: 15
 */
#include <cweb.h>

static void on_open(struct websocket *ws) { (void)ws; }

export module_t config = {
    .name = "websocket_path_twice",
    .websockets = {
        {"/case/websocket_path_twice", on_open, NULL, NULL},
        {"/case/websocket_path_twice", NULL, NULL, NULL},
    },
    .ws_size = 2,
};
