/* case: more sockets and jobs than the tables have room for, where they were made larger
 * expect: 200
 * says: `config` has 11 jobs: this server does not run jobs
 * get: /case/larger_tables/1 -> 426 WebSocket
 * get: /case/larger_tables/11 -> 426 WebSocket
 */
#define CWEB_MAX_WEBSOCKETS 11
#define CWEB_MAX_JOBS 11
#include <cweb.h>

static void on_message(cweb_context_t *ctx, websocket_t *ws, const char *message, size_t length) {
    if (ctx != NULL) ws->send(ws, message, length);
}

static int run(struct cweb_context *ctx, const job_payload_t *payload, job_ctx_t *job) {
    (void)ctx;
    return job->set_result(job, payload->json);
}

#define SOCKET(number) {"/case/larger_tables/" #number, NULL, on_message, NULL}
#define JOB(number) {"job" #number, run, NULL}

export module_t config = {
    .name = "larger_tables",
    .websockets = {SOCKET(1), SOCKET(2), SOCKET(3), SOCKET(4), SOCKET(5), SOCKET(6), SOCKET(7), SOCKET(8), SOCKET(9),
                   SOCKET(10), SOCKET(11)},
    .ws_size = 11,
    .jobs = {JOB(1), JOB(2), JOB(3), JOB(4), JOB(5), JOB(6), JOB(7), JOB(8), JOB(9), JOB(10), JOB(11)},
    .job_size = 11,
};
