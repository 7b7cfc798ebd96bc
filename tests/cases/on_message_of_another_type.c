/* case: an on_message without its length
 * expect: 422
 * stage: config
 * says: expected 'void (struct websocket *, const char *, size_t)'
 * line: 13
 */
#include <cweb.h>

static void on_message(struct websocket *ws, const char *message) { ws->send(ws, message, strlen(message)); }

export module_t config = {
    .name = "on_message_of_another_type",
    .websockets = {{"/case/on_message_of_another_type", NULL, on_message, NULL}},
    .ws_size = 1,
};
