"""Sources to deploy: modules of one route, which differ in what they are told to."""

_ANSWERING = """#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {{
    (void)req;
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s\\n", "{text}");
    return 0;
}}

export module_t config = {{
    .name = "{name}",
    .author = "cweb",
    .routes = {{{{"{path}", "GET", answer, NONE}}}},
    .size = 1,
}};
"""


def answering(name, path, text):
    return _ANSWERING.format(name=name, path=path, text=text)
