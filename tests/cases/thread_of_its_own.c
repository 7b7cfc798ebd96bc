/* case: a handler that starts a thread and waits for it
 * expect: 200
 * get: /case/thread_of_its_own -> 200 number 21
 */
#include <cweb.h>

static void *work(void *argument) {
    *(int *)argument += 1;
    return NULL;
}

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    pthread_t thread;
    int number = 20;
    if (pthread_create(&thread, NULL, work, &number) != 0) return -1;
    pthread_join(thread, NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "number %d\n", number);
    return 0;
}

export module_t config = {
    .name = "thread_of_its_own",
    .author = "cases",
    .routes = {{"/case/thread_of_its_own", "GET", answer, NONE}},
    .size = 1,
};
