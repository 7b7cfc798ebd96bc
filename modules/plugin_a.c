/* Calls a function of another module, plugin_b.c. It is looked up with each request, so the next one after a deploy of
   plugin_b calls the new one; and plugin_b may be there or not. */
#include <cweb.h>

static int greet(struct http_request *req, struct http_response *res) {
    const char *name = map_get(req->params, "name");
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    int (*write_greeting)(char *, size_t, const char *) = symbols->resolv("plugin_b", "write_greeting");
    if (write_greeting == NULL) {
        res->status = HTTP_503_SERVICE_UNAVAILABLE;
        strcpy(res->body, "plugin_b is not deployed\n");
        return 0;
    }
    write_greeting(res->body, HTTP_RESPONSE_SIZE, name == NULL ? "you" : name);
    return 0;
}

export module_t config = {
    .name = "plugin_a",
    .author = "cweb",
    .routes = {{"/plugin", "GET", greet, NONE}},
    .size = 1,
};
