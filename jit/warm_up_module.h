// A module of ordinary C, for nothing but compiling it: what it makes Clang and LLVM do for the first time, no deploy
// has to wait for.
#pragma once

#include <string_view>

namespace cweb::jit {

/// Without #include lines.
inline constexpr std::string_view warm_up_module = R"c(
typedef struct point { double x, y; char name[16]; struct point *next; } point_t;
typedef int (*compare_t)(const void *, const void *);
enum { LIMIT = 64, ROWS = 8 };
static _Atomic unsigned long calls;
static _Thread_local int depth;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *const colours[] = {"red", "green", "blue"};
static point_t *points;
static float table[ROWS][LIMIT];

static double length(const point_t *p) { return p->x * p->x + p->y * p->y; }

static int by_length(const void *a, const void *b) {
    double difference = length(a) - length(b);
    return difference < 0 ? -1 : difference > 0;
}

static unsigned hash(const char *text) {
    unsigned h = 2166136261u;
    while (*text) h = (h ^ (unsigned char)*text++) * 16777619u;
    return h;
}

static float sum(const float *v, size_t n) {
    float s = 0;
    for (size_t i = 0; i < n; i++) s += v[i] * 0.5f + (float)i;
    return s;
}

static const char *kind(int c) {
    switch (c) {
        case 'a': case 'e': case 'i': return "vowel";
        case '0': return "zero";
        case ' ': case '\t': case '\n': return "space";
        default: return isdigit(c) ? "digit" : "other";
    }
}

static int add(struct http_request *req, struct http_response *res) {
    const char *name = map_get(req->params, "name");
    if (name == NULL || strlen(name) >= sizeof points->name) {
        res->status = HTTP_400_BAD_REQUEST;
        return snprintf(res->body, HTTP_RESPONSE_SIZE, "a name of at most %zu bytes\n", sizeof points->name - 1);
    }
    point_t *p = calloc(1, sizeof *p);
    if (p == NULL) return -1;
    p->x = strtod(req->body, NULL);
    p->y = atoi(name) / 3.0;
    strcpy(p->name, name);
    pthread_mutex_lock(&lock);
    p->next = points;
    points = p;
    pthread_mutex_unlock(&lock);
    depth++;
    res->status = HTTP_201_CREATED;
    return 0;
}

static int list(struct http_request *req, struct http_response *res) {
    size_t used = 0;
    point_t sorted[ROWS];
    int count = 0;
    calls++;
    pthread_mutex_lock(&lock);
    for (point_t *p = points; p != NULL && count < ROWS; p = p->next) memcpy(&sorted[count++], p, sizeof *p);
    pthread_mutex_unlock(&lock);
    qsort(sorted, (size_t)count, sizeof *sorted, (compare_t)by_length);
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < LIMIT; j++) table[i][j] = (float)(sorted[i].x * j);
        used += (size_t)snprintf(res->body + used, HTTP_RESPONSE_SIZE - used, "%s %s %u %.2f %.3f %d\n", sorted[i].name,
                                 colours[i % 3], hash(sorted[i].name) % 100u, length(&sorted[i]),
                                 (double)sum(table[i], LIMIT), depth);
        if (used >= HTTP_RESPONSE_SIZE) break;
    }
    map_insert(res->headers, "Content-Type", (void *)kind(req->path[1]));
    res->content_length = (int)used;
    return 0;
}

static void forget(void) {
    while (points != NULL) {
        point_t *next = points->next;
        free(points);
        points = next;
    }
}

export module_t config = {
    .name = "warm",
    .author = "cweb",
    .routes = {{"/points", "GET", list, NONE}, {"/points/([a-z]+)", "POST", add, NONE}},
    .size = 2,
    .unload = forget,
};
)c";

}  // namespace cweb::jit
