/* case: asks whether a file of the machine is there
 * expect: 200
 * get: /case/has_include_of_a_file -> 200 here
 */
#include <cweb.h>

#if __has_include("/etc/passwd") || __has_include(</proc/self/maps>)
#error the compiler sees files
#endif

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "has_include_of_a_file",
    .author = "cases",
    .routes = {{"/case/has_include_of_a_file", "GET", answer, NONE}},
    .size = 1,
};
