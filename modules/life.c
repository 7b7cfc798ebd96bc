/* Conway's Game of Life on a torus of 512 x 512 cells, for everybody who has the page /life open: a thread computes it
   here, each generation goes to all browsers as one binary message, and what somebody draws is sown into it. */
#include <cweb.h>
#include <time.h>

enum {
    side = 512,
    words = side / 64, /* of a row: cell x is bit x % 64 of word x / 64 */
    frame_ms = 50,
    sleep_ms = 1000,
    most_sown = 1024,      /* cells that one message may sow */
    generations_a_seed = 96, /* a little that is new falls into the soup so often: without it, Life comes to rest */
    seed_rows = 24
};

typedef uint64_t board_t[side][words];

/* ------------------------------------------------------------------------------------------------------------- page */

static const char page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>Life</title>\n"
    "<meta name=viewport content='width=device-width'>\n"
    "<style>\n"
    ":root { color-scheme: light dark; --back: #f4f1ea; --text: #3b3a36; --edge: #ddd6c8; }\n"
    "@media (prefers-color-scheme: dark) { :root { --back: #0b0e14; --text: #9aa7b8; --edge: #1d2430; } }\n"
    "body { margin: 0; min-height: 100vh; display: grid; place-content: center; gap: .8rem; background: var(--back);\n"
    "  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }\n"
    "canvas { width: min(96vw, 100vh - 5rem, 1024px); aspect-ratio: 1; image-rendering: pixelated; cursor: crosshair;\n"
    "  touch-action: none; border: 1px solid var(--edge); border-radius: 8px; }\n"
    "p { margin: 0; display: flex; justify-content: space-between; gap: 1rem; font-variant-numeric: tabular-nums; }\n"
    "</style>\n"
    "<canvas id=board width=512 height=512></canvas>\n"
    "<p><span>Click to sow, drag to draw.</span><span id=state>connecting</span></p>\n"
    "<script>\n"
    "const side = 512, pen = board.getContext('2d'), image = pen.createImageData(side, side);\n"
    "const pixels = new Uint32Array(image.data.buffer), shades = new Uint8Array(side * side);\n"
    "const colors = new Uint32Array(256);\n"
    /* A shade below 128 is the fading trace of a cell that died, one from 128 on the age of a cell that lives. */
    "const living = new Uint8Array(256), dying = new Uint8Array(256);\n"
    "for (let shade = 0; shade < 256; ++shade) {\n"
    "  living[shade] = shade < 128 ? 128 : Math.min(255, shade + 2);\n"
    "  dying[shade] = shade < 128 ? Math.floor(shade * .9) : 90;\n"
    "}\n"
    "function mix(stops, at) {\n"
    "  const place = at * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(place)), part = place - i;\n"
    "  const [r, g, b] = stops[i].map((from, c) => Math.round(from + (stops[i + 1][c] - from) * part));\n"
    "  return (255 << 24 | b << 16 | g << 8 | r) >>> 0;\n"
    "}\n"
    "const dark = matchMedia('(prefers-color-scheme: dark)');\n"
    "function choose_colors() {\n"
    "  const trace = dark.matches ? [[11, 14, 20], [22, 40, 74], [36, 92, 130]]\n"
    "                             : [[255, 253, 248], [238, 226, 205], [222, 190, 150]];\n"
    "  const alive = dark.matches ? [[215, 255, 235], [90, 225, 195], [45, 150, 195], [85, 90, 200]]\n"
    "                             : [[214, 84, 40], [150, 50, 60], [70, 45, 90], [30, 40, 80]];\n"
    "  for (let shade = 0; shade < 128; ++shade) {\n"
    "    colors[shade] = mix(trace, Math.min(1, shade / 90));\n"
    "    colors[128 + shade] = mix(alive, shade / 127);\n"
    "  }\n"
    "}\n"
    "dark.onchange = choose_colors;\n"
    "choose_colors();\n"
    "pixels.fill(colors[0]);\n"
    "pen.putImageData(image, 0, 0);\n"
    /* A frame is the generation and the number of watchers, four bytes each, and then the cells, a bit each. */
    "let frames = 0, rate = 0, population = 0, generation = 0;\n"
    "function show(frame) {\n"
    "  const head = new DataView(frame), cells = new Uint8Array(frame, 8);\n"
    "  generation = head.getUint32(0, true);\n"
    "  population = 0;\n"
    "  for (let i = 0, at = 0; i < cells.length; ++i) {\n"
    "    for (let bits = cells[i], bit = 0; bit < 8; ++bit, ++at, bits >>= 1) {\n"
    "      population += bits & 1;\n"
    "      pixels[at] = colors[shades[at] = (bits & 1 ? living : dying)[shades[at]]];\n"
    "    }\n"
    "  }\n"
    "  ++frames;\n"
    "  const watchers = head.getUint32(4, true);\n"
    "  state.textContent = 'generation ' + generation.toLocaleString('en') + ', ' + population.toLocaleString('en') +\n"
    "    ' cells, ' + rate + ' frames/s, ' + watchers + ' watching';\n"
    "  requestAnimationFrame(() => pen.putImageData(image, 0, 0));\n"
    "}\n"
    "let counted = 0;\n"
    "setInterval(() => { rate = frames - counted; counted = frames; }, 1000);\n"
    "let socket;\n"
    "function connect() {\n"
    "  socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/#.*/, ''));\n"
    "  socket.binaryType = 'arraybuffer';\n"
    "  socket.onmessage = event => show(event.data);\n"
    "  socket.onclose = () => { state.textContent = 'connecting again'; setTimeout(connect, 1000); };\n"
    "}\n"
    "connect();\n"
    /* What was drawn since the last message: a pair of 16-bit numbers for each cell. */
    "const drawn = [];\n"
    "function sow() {\n"
    "  while (drawn.length > 0 && socket.readyState === 1) socket.send(new Uint16Array(drawn.splice(0, 2048)));\n"
    "}\n"
    "function cell_at(event) {\n"
    "  const box = board.getBoundingClientRect();\n"
    "  return [event.clientX - box.left - board.clientLeft, event.clientY - box.top - board.clientTop]\n"
    "    .map(place => Math.floor(place * side / board.clientWidth) & side - 1);\n"
    "}\n"
    "let last;\n"
    "board.onpointerdown = event => {\n"
    "  board.setPointerCapture(event.pointerId);\n"
    "  const [x, y] = last = cell_at(event);\n"
    /* The R-pentomino: five cells that keep more than a thousand generations busy. */
    "  for (const [dx, dy] of [[1, 0], [2, 0], [0, 1], [1, 1], [1, 2]]) {\n"
    "    drawn.push(x + dx & side - 1, y + dy & side - 1);\n"
    "  }\n"
    "  sow();\n"
    "};\n"
    "board.onpointermove = event => {\n"
    "  if (!last) return;\n"
    "  const to = cell_at(event), steps = Math.max(Math.abs(to[0] - last[0]), Math.abs(to[1] - last[1]));\n"
    "  if (steps < side / 2) for (let i = 1; i <= steps; ++i) {\n"
    "    drawn.push(...last.map((from, c) => Math.round(from + (to[c] - from) * i / steps)));\n"
    "  }\n"
    "  last = to;\n"
    "  sow();\n"
    "};\n"
    "board.onpointerup = board.onpointercancel = () => { last = undefined; };\n"
    "</script>\n";

static int show_page(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = (char *)page;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ generations */

/* How many of three neighbours in a row live, for 64 of them in each word: the number's two bits. */
struct row_sums {
    uint64_t ones[words], twos[words];
};

/* Each word is computed for itself, so that the compiler can take four or eight of them at a time. */
static void add_up_row(const uint64_t *row, struct row_sums *sums) {
    uint64_t ring[words + 2]; /* the row, with its last word ahead and its first one behind it */
    memcpy(ring + 1, row, sizeof(uint64_t) * words);
    ring[0] = row[words - 1];
    ring[words + 1] = row[0];
    for (int i = 0; i < words; ++i) {
        const uint64_t here = ring[i + 1];
        const uint64_t left = here << 1 | ring[i] >> 63;
        const uint64_t right = here >> 1 | ring[i + 2] << 63;
        sums->ones[i] = left ^ here ^ right;
        sums->twos[i] = (left & here) | (left & right) | (here & right);
    }
}

/*
 * A cell lives next if three of the nine around and with it live now, or if it lives and four do. The sum of the three
 * rows' numbers is made of bits again: `odd` is its lowest one, and four bits are worth two each.
 */
static void step_row(const struct row_sums *above, const struct row_sums *here, const struct row_sums *below,
                     uint64_t *row) {
    for (int i = 0; i < words; ++i) {
        const uint64_t a = above->ones[i], b = here->ones[i], c = below->ones[i];
        const uint64_t odd = a ^ b ^ c, carry = (a & b) | (a & c) | (b & c);
        const uint64_t d = above->twos[i], e = here->twos[i], f = below->twos[i];
        const uint64_t de_one = d ^ e, de_two = d & e, fc_one = f ^ carry, fc_two = f & carry;
        const uint64_t one = (de_one ^ fc_one) & ~(de_two | fc_two);
        const uint64_t two = (de_one & fc_one) | ((de_two ^ fc_two) & ~(de_one | fc_one));
        row[i] = (odd & one) | (row[i] & ~odd & two);
    }
}

static void step(board_t board) {
    static struct row_sums sums[side]; /* the thread's alone */
    for (int y = 0; y < side; ++y) add_up_row(board[y], &sums[y]);
    for (int y = 0; y < side; ++y) {
        step_row(&sums[(y + side - 1) % side], &sums[y], &sums[(y + 1) % side], board[y]);
    }
}

/* Xorshift (Marsaglia): a state that is not 0 never becomes it. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Every fourth cell of some rows and words lives. */
static void scatter(board_t board, int first_row, int rows, int first_word, int count, uint64_t *state) {
    for (int y = first_row; y < first_row + rows; ++y) {
        for (int i = first_word; i < first_word + count; ++i) {
            board[y % side][i % words] |= next_random(state) & next_random(state);
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- thread */

/* What goes to the browsers. Its numbers lie in memory as they are sent, the lowest byte first. */
static struct {
    uint32_t generation, watchers;
    board_t cells;
} frame; /* the thread's alone */

static pthread_t thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static board_t sown; /* what was drawn since the last generation; guarded by the mutex, like what follows */
static int anything_sown, stopping;
static int started; /* onload's and unload's */

/* Waits until the time is over or somebody signals: a sleep that unload can end at once. With the mutex locked. */
static void wait_for_change(int milliseconds) {
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&changed, &mutex, &until);
}

/* With the mutex locked. */
static void take_in_what_was_sown(void) {
    if (!anything_sown) return;
    for (int y = 0; y < side; ++y) {
        for (int i = 0; i < words; ++i) frame.cells[y][i] |= sown[y][i];
    }
    memset(sown, 0, sizeof sown);
    anything_sown = 0;
}

static void compute_and_show(uint64_t *random) {
    step(frame.cells);
    if (++frame.generation % generations_a_seed == 0) {
        const uint64_t place = next_random(random);
        scatter(frame.cells, (int)(place % side), seed_rows, (int)(place / side % words), 1, random);
    }
    cweb_ws_broadcast_binary("/life", &frame, sizeof frame);
}

static void *live(void *unused) {
    (void)unused;
    uint64_t random = (uint64_t)time(NULL) * 2 + 1;
    scatter(frame.cells, 0, side, 0, words, &random);
    pthread_mutex_lock(&mutex);
    while (!stopping) {
        const int watchers = cweb_ws_count("/life");
        if (watchers == 0) {
            /* Looks again by itself: on_open of the version before this one may have been told of a socket instead. */
            wait_for_change(sleep_ms);
            continue;
        }
        take_in_what_was_sown();
        pthread_mutex_unlock(&mutex);
        frame.watchers = (uint32_t)watchers;
        compute_and_show(&random);
        pthread_mutex_lock(&mutex);
        if (!stopping) wait_for_change(frame_ms);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

/* Every thread that a module starts has to end in unload: the code that it runs goes with the version. */
static void onload(void) {
    started = pthread_create(&thread, NULL, live, NULL) == 0;
    if (!started) fprintf(stderr, "life: there is no thread to be had\n");
}

static void unload(void) {
    if (!started) return;
    pthread_mutex_lock(&mutex);
    stopping = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

/* ---------------------------------------------------------------------------------------------------------- sockets */

/* Wakes the thread: who has just come sees a picture at once. */
static void on_open(struct websocket *ws) {
    (void)ws;
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

/* Pairs of 16-bit numbers, x and y, of the cells that live from now on. */
static void on_message(struct websocket *ws, const char *message, size_t length) {
    const unsigned char *bytes = (const unsigned char *)message;
    if (!cweb_ws_is_binary(ws) || length % 4 != 0 || length / 4 > most_sown) {
        cweb_ws_close(ws, 1008, "expected at most 1024 cells of four bytes");
        return;
    }
    pthread_mutex_lock(&mutex);
    for (const unsigned char *cell = bytes; cell < bytes + length; cell += 4) {
        const unsigned x = (cell[0] | (unsigned)cell[1] << 8) % side, y = (cell[2] | (unsigned)cell[3] << 8) % side;
        sown[y][x / 64] |= (uint64_t)1 << x % 64;
    }
    anything_sown = 1;
    pthread_mutex_unlock(&mutex);
}

export module_t config = {
    .name = "life",
    .author = "cweb",
    .routes = {{"/life", "GET", show_page, NONE}},
    .size = 1,
    .websockets = {{"/life", on_open, on_message, NULL}},
    .ws_size = 1,
    .onload = onload,
    .unload = unload,
};
