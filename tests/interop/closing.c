/* Closes the socket as a message says: "4002 reason" with this code and reason, "first 500" after 500 messages. */
#include <cweb.h>

static void on_message(struct websocket *ws, const char *message, size_t length) {
    (void)length;
    char *rest = NULL;
    if (strncmp(message, "first ", 6) == 0) {
        const long count = strtol(message + 6, &rest, 10);
        for (long i = 0; i < count; ++i) {
            char text[32];
            const int text_length = snprintf(text, sizeof text, "message %ld", i);
            ws->send(ws, text, (size_t)text_length);
        }
        ws->close(ws);
        return;
    }
    const int code = (int)strtol(message, &rest, 10);
    cweb_ws_close(ws, code, *rest == ' ' && rest[1] != '\0' ? rest + 1 : NULL);
}

export module_t config = {
    .name = "closing",
    .author = "the tests",
    .websockets = {{"/closing", NULL, on_message, NULL}},
    .ws_size = 1,
};
