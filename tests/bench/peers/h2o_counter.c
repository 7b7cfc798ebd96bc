/* The counter on h2o: its event loop with a handler in C, which is the fastest that h2o can answer a page that is
   computed. (Its own binary has mruby for that, half as fast, and files, which cost system calls of their own.)

   h2o_counter PORT: one thread, on the loopback address, until it is killed. */
#include <arpa/inet.h>
#include <h2o.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { body_bytes = 64, accepts_a_turn = 16 };

static h2o_accept_ctx_t accepting;

static int show_count(h2o_handler_t *self, h2o_req_t *request) {
    static unsigned long count = 1000000;
    static h2o_generator_t whole_body = {NULL, NULL};
    (void)self;
    char *text = h2o_mem_alloc_pool(&request->pool, body_bytes);
    h2o_iovec_t body = {text, (size_t)snprintf(text, body_bytes, "count %lu\n", ++count)};
    request->res.status = 200;
    request->res.reason = "OK";
    request->res.content_length = body.len;
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("text/plain; charset=utf-8"));
    h2o_start_response(request, &whole_body);
    h2o_send(request, &body, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void on_connections(h2o_socket_t *listener, const char *error) {
    for (int i = 0; error == NULL && i < accepts_a_turn; ++i) {
        h2o_socket_t *peer = h2o_evloop_socket_accept(listener);
        if (peer == NULL) return;
        h2o_accept(&accepting, peer);
    }
}

static int listen_on(int port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* the connections inherit it */
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
        perror("h2o_counter: listen");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("usage: h2o_counter PORT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    static h2o_globalconf_t configuration;
    static h2o_context_t context;
    h2o_config_init(&configuration);
    h2o_hostconf_t *host = h2o_config_register_host(&configuration, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/counter", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = show_count;
    h2o_context_init(&context, h2o_evloop_create(), &configuration);
    accepting.ctx = &context;
    accepting.hosts = configuration.hosts;
    h2o_socket_t *listener =
        h2o_evloop_socket_create(context.loop, listen_on(atoi(argv[1])), H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, on_connections);
    /* It fails when a signal interrupts it, as strace's does. */
    for (;;) h2o_evloop_run(context.loop, INT32_MAX);
}
