/* Tells everybody the same number, ten times a second: a thread of the module's own, started in onload and joined in
   unload, broadcasts to whoever has the page /ticker open. While nobody has, it sleeps. */
#include <cweb.h>
#include <time.h>

enum { ticks_a_second = 10, sleep_ms = 1000 };

static const char page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>Ticker</title>\n"
    "<meta name=viewport content='width=device-width'>\n"
    "<style>\n"
    ":root { color-scheme: light dark; --back: #f5f6f8; --text: #1b2430; --soft: #6a7686;\n"
    "  --up: #0f8a5f; --down: #c8374a; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --back: #12161c; --text: #e8edf4; --soft: #8794a5; --up: #3ecf96; --down: #ff6b7d; }\n"
    "}\n"
    "body { margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center;\n"
    "  background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }\n"
    "output { font-size: min(22vw, 9rem); font-weight: 650; line-height: 1.1; font-variant-numeric: tabular-nums;\n"
    "  letter-spacing: -.03em; }\n"
    "canvas { width: min(90vw, 44rem); height: 9rem; margin: 1.5rem 0 1rem; }\n"
    "p { margin: 0; color: var(--soft); }\n"
    "</style>\n"
    "<output id=value>&middot;&middot;&middot;</output><canvas id=curve></canvas><p id=state>connecting</p>\n"
    "<script>\n"
    "const values = [], most = 300;\n"
    "function draw() {\n"
    "  const scale = devicePixelRatio || 1, pen = curve.getContext('2d'), style = getComputedStyle(document.body);\n"
    "  const width = curve.width = curve.clientWidth * scale, height = curve.height = curve.clientHeight * scale;\n"
    "  const low = Math.min(...values), span = Math.max(...values) - low || 1, edge = 3 * scale;\n"
    "  const x = i => width - (values.length - 1 - i) * width / (most - 1);\n"
    "  const y = v => height - edge - (v - low) / span * (height - 2 * edge);\n"
    "  const color = style.getPropertyValue(values[values.length - 1] < values[0] ? '--down' : '--up');\n"
    "  pen.beginPath();\n"
    "  values.forEach((v, i) => pen.lineTo(x(i), y(v)));\n"
    "  pen.strokeStyle = color; pen.lineWidth = 2 * scale; pen.lineJoin = 'round'; pen.stroke();\n"
    "  pen.lineTo(width, height); pen.lineTo(x(0), height);\n"
    "  pen.globalAlpha = .12; pen.fillStyle = color; pen.fill();\n"
    "}\n"
    "function connect() {\n"
    "  const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/#.*/, ''));\n"
    "  socket.onopen = () => { state.textContent = 'live, ten times a second'; };\n"
    "  socket.onmessage = event => {\n"
    "    values.push(Number(event.data));\n"
    "    if (values.length > most) values.shift();\n"
    "    value.textContent = event.data;\n"
    "    requestAnimationFrame(draw);\n"
    "  };\n"
    "  socket.onclose = () => { state.textContent = 'connecting again'; setTimeout(connect, 1000); };\n"
    "}\n"
    "connect();\n"
    "</script>\n";

static int show_page(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = (char *)page;
    return 0;
}

static pthread_t ticker;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stopping; /* guarded by the mutex */
static int started;  /* onload's and unload's */

/* Waits until the time is over or somebody signals: a sleep that unload can end at once. With the mutex locked. */
static void wait_for_change(int milliseconds) {
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&changed, &mutex, &until);
}

/* A walk that chance takes, with a soft pull back to 100. */
static double next_value(double value) {
    return value + (rand() % 2001 - 1000) / 2500.0 + (100 - value) * 0.005;
}

static void *tick(void *unused) {
    (void)unused;
    double value = 100;
    pthread_mutex_lock(&mutex);
    while (!stopping) {
        if (cweb_ws_count("/ticker") == 0) {
            /* Looks again by itself: on_open of the version before this one may have been told of a socket instead. */
            wait_for_change(sleep_ms);
            continue;
        }
        char text[32];
        value = next_value(value);
        const int length = snprintf(text, sizeof text, "%.2f", value);
        cweb_ws_broadcast("/ticker", text, (size_t)length);
        wait_for_change(1000 / ticks_a_second);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

/* Wakes the thread: who has just come sees a value at once. */
static void on_open(struct websocket *ws) {
    (void)ws;
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void onload(void) {
    started = pthread_create(&ticker, NULL, tick, NULL) == 0;
    if (!started) fprintf(stderr, "ticker: there is no thread to be had\n");
}

/* Every thread that a module starts has to end here: the code that it runs goes with the version. */
static void unload(void) {
    if (!started) return;
    pthread_mutex_lock(&mutex);
    stopping = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    pthread_join(ticker, NULL);
}

export module_t config = {
    .name = "ticker",
    .author = "cweb",
    .routes = {{"/ticker", "GET", show_page, NONE}},
    .size = 1,
    .websockets = {{"/ticker", on_open, NULL, NULL}},
    .ws_size = 1,
    .onload = onload,
    .unload = unload,
};
