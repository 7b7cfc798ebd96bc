/* Computes a picture for each request: the Mandelbrot set as a 24-bit BMP, straight from compiled C.
   GET /mandelbrot?x=-0.5&y=0&scale=3&width=640&height=480&iterations=200 - every parameter may be left out. */
#include <cweb.h>

enum { header_bytes = 54, most_pixels_a_side = 2048, most_iterations = 10000 };

/* A request may keep a core busy for seconds, not for minutes. The server's other clients do not wait for it. */
static const double most_steps = 2e9;

struct view {
    double x, y, scale; /* centre of the picture, and the width that it shows */
    int width, height, iterations;
};

/* Reads one parameter. 0 when it is no number, or one out of bounds; the answer then says so. */
static int read_number(struct http_request *req, struct http_response *res, const char *name, double least,
                       double most, double *value) {
    const char *text = map_get(req->params, name);
    if (text == NULL) return 1;
    char *end = NULL;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && *value >= least && *value <= most) return 1;
    res->status = HTTP_400_BAD_REQUEST;
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s must be a number from %g to %g\n", name, least, most);
    return 0;
}

static int read_view(struct http_request *req, struct http_response *res, struct view *view) {
    double width = 640, height = 480, iterations = 200;
    view->x = -0.5;
    view->y = 0;
    view->scale = 3;
    if (!read_number(req, res, "x", -4, 4, &view->x) || !read_number(req, res, "y", -4, 4, &view->y) ||
        !read_number(req, res, "scale", 1e-13, 16, &view->scale) ||
        !read_number(req, res, "width", 1, most_pixels_a_side, &width) ||
        !read_number(req, res, "height", 1, most_pixels_a_side, &height) ||
        !read_number(req, res, "iterations", 1, most_iterations, &iterations)) {
        return 0;
    }
    if (width * height * iterations > most_steps) {
        res->status = HTTP_400_BAD_REQUEST;
        map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
        snprintf(res->body, HTTP_RESPONSE_SIZE, "width x height x iterations may be %g at most\n", most_steps);
        return 0;
    }
    view->width = (int)width;
    view->height = (int)height;
    view->iterations = (int)iterations;
    return 1;
}

/* How many steps it takes to leave the circle of radius 2; `limit` when it never does. */
static int steps_to_escape(double cx, double cy, int limit) {
    double x = 0, y = 0;
    for (int step = 0; step < limit; ++step) {
        const double xx = x * x, yy = y * y;
        if (xx + yy > 4) return step;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
    }
    return limit;
}

/* Blue, green, red, as BMP wants them. Points of the set are black. */
static void colour(int steps, int limit, unsigned char *pixel) {
    const int shade = steps == limit ? 0 : 32 + steps * 7 % 224;
    pixel[0] = (unsigned char)(steps == limit ? 0 : 255 - shade / 2);
    pixel[1] = (unsigned char)(shade * shade / 255);
    pixel[2] = (unsigned char)shade;
}

static void put32(unsigned char *at, unsigned value) {
    for (int i = 0; i < 4; ++i) at[i] = (unsigned char)(value >> (8 * i));
}

static void write_header(unsigned char *bmp, const struct view *view, unsigned size) {
    memset(bmp, 0, header_bytes);
    memcpy(bmp, "BM", 2);
    put32(bmp + 2, size);
    put32(bmp + 10, header_bytes);
    put32(bmp + 14, header_bytes - 14);
    put32(bmp + 18, (unsigned)view->width);
    put32(bmp + 22, (unsigned)view->height);
    bmp[26] = 1;  /* planes */
    bmp[28] = 24; /* bits for a pixel */
    put32(bmp + 34, size - header_bytes);
}

static int draw(struct http_request *req, struct http_response *res) {
    struct view view;
    if (!read_view(req, res, &view)) return 0;
    /* Each row of a BMP is filled up to a multiple of four bytes. */
    const size_t row_bytes = ((size_t)view.width * 3 + 3) / 4 * 4;
    const size_t size = header_bytes + row_bytes * (size_t)view.height;
    unsigned char *bmp = calloc(1, size);
    if (bmp == NULL) {
        res->status = HTTP_503_SERVICE_UNAVAILABLE;
        return 0;
    }
    write_header(bmp, &view, (unsigned)size);
    const double step = view.scale / view.width;
    for (int row = 0; row < view.height; ++row) {
        /* The first row of a BMP is the lowest. */
        const double cy = view.y + (row - view.height / 2.0) * step;
        unsigned char *pixel = bmp + header_bytes + row_bytes * (size_t)row;
        for (int column = 0; column < view.width; ++column, pixel += 3) {
            const double cx = view.x + (column - view.width / 2.0) * step;
            colour(steps_to_escape(cx, cy, view.iterations), view.iterations, pixel);
        }
    }
    map_insert(res->headers, "Content-Type", "image/bmp");
    res->body = (char *)bmp;
    res->content_length = (int)size;
    return 0;
}

export module_t config = {
    .name = "mandelbrot",
    .author = "cweb",
    .routes = {{"/mandelbrot", "GET", draw, NONE}},
    .size = 1,
};
