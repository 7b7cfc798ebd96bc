/* Something that takes long to compute is kept for ten seconds. All modules share the cache, and a deploy leaves it as
   it is; what is in it are copies, so it does not matter whose they were. */
#include <cweb.h>

enum { kept_ms = 10000, largest = 5000000 };

/* How many primes there are below a number, the slow way. */
static unsigned count_primes(unsigned below) {
    unsigned count = 0;
    for (unsigned i = 2; i < below; ++i) {
        unsigned divisor = 2;
        while (divisor * divisor <= i && i % divisor != 0) ++divisor;
        count += divisor * divisor > i;
    }
    return count;
}

static int show(struct http_request *req, struct http_response *res) {
    const char *given = map_get(req->params, "below");
    const unsigned long below = given == NULL ? 1000000 : strtoul(given, NULL, 10);
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    if (below > largest) {
        res->status = HTTP_400_BAD_REQUEST;
        snprintf(res->body, HTTP_RESPONSE_SIZE, "at most %d\n", largest);
        return 0;
    }
    char name[64];
    snprintf(name, sizeof name, "primes below %lu", below);
    unsigned count = 0;
    const int is_known = cweb_cache_fetch(name, &count, sizeof count) == (long)sizeof count;
    if (!is_known) {
        count = count_primes((unsigned)below);
        cweb_cache_put(name, &count, sizeof count, kept_ms);
    }
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%u primes below %lu, %s\n", count, below, is_known ? "cached" : "computed");
    return 0;
}

static int forget(struct http_request *req, struct http_response *res) {
    const char *given = map_get(req->params, "below");
    char name[64];
    snprintf(name, sizeof name, "primes below %s", given == NULL ? "1000000" : given);
    res->status = cweb_cache_expire(name, 0) == 0 ? HTTP_204_NO_CONTENT : HTTP_404_NOT_FOUND;
    return 0;
}

export module_t config = {
    .name = "cache",
    .author = "cweb",
    .routes = {
        {"/cache", "GET", show, NONE},
        {"/cache", "DELETE", forget, NONE},
    },
    .size = 2,
};
