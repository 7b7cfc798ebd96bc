/* case: a block that is freed twice ends the call and nothing else
 * expect: 200
 * get: /case/free_twice/free -> 500
 * get: /case/free_twice -> 200 here
 */
#include <cweb.h>

static int free_twice(struct http_request *req, struct http_response *res) {
    (void)req;
    char *volatile block = strdup("mine");
    free(block);
    res->content_length = block == NULL;
    free(block);
    return 0;
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    strcpy(res->body, "here\n");
    return 0;
}

export module_t config = {
    .name = "free_twice",
    .author = "cases",
    .routes = {
        {"/case/free_twice", "GET", answer, NONE},
        {"/case/free_twice/free", "GET", free_twice, NONE},
    },
    .size = 2,
};
