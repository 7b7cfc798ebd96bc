/* case: the environment is read and not assigned to: what goes with the module would be everybody's
 * expect: 200
 * get: /case/environ_assigned/assign -> 500
 * get: /case/environ_assigned -> 200 here
 */
#include <cweb.h>
#include <unistd.h>

extern char **environ;

static char entry[] = "A=b";
static char *own[] = {entry, NULL};

static int assign(struct http_request *req, struct http_response *res) {
    (void)req;
    (void)res;
    environ = own;
    return 0;
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, environ[0] != entry && putenv(entry) == 0 && getenv("A") != entry + 2 ? "here\n" : "other\n");
    return 0;
}

export module_t config = {
    .name = "environ_assigned",
    .author = "cases",
    .routes = {
        {"/case/environ_assigned", "GET", answer, NONE},
        {"/case/environ_assigned/assign", "GET", assign, NONE},
    },
    .size = 2,
};
