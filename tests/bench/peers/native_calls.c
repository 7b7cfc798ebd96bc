/* Calls a module's first handler in a loop, without a server: what its code takes by itself. Linked with the module.

   native_calls COUNT [NAME VALUE]...: prints the nanoseconds of processor time that a call takes. The pairs are the
   request's parameters. */
#include <cweb.h>
#include <time.h>

extern module_t config;

static char **parameters;
static int parameter_words;

/* Of what the server offers, what the module uses. */
void *map_get(const struct map *map, const char *key) {
    (void)map;
    for (int i = 0; i + 1 < parameter_words; i += 2)
        if (strcmp(parameters[i], key) == 0) return parameters[i + 1];
    return NULL;
}

int map_insert(struct map *map, const char *key, void *value) {
    (void)map, (void)key, (void)value;
    return 0;
}

static double processor_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static int call(void) {
    static char buffer[HTTP_RESPONSE_SIZE];
    struct http_request request = {.method = HTTP_GET, .path = "/", .body = ""};
    struct http_response response = {.body = buffer};
    int (*const handler)(struct http_request *, struct http_response *) = config.routes[0].handler;
    handler(&request, &response);
    if (response.body == buffer) return 0; /* it complained */
    free(response.body);
    return 1;
}

int main(int argc, char **argv) {
    const int count = argc > 1 ? atoi(argv[1]) : 0;
    if (count < 1) {
        fputs("usage: native_calls COUNT [NAME VALUE]...\n", stderr);
        return 2;
    }
    parameters = argv + 2;
    parameter_words = argc - 2;
    const double start_ns = processor_ns();
    for (int i = 0; i < count; ++i)
        if (!call()) return 1;
    printf("%.0f\n", (processor_ns() - start_ns) / count);
    return 0;
}
