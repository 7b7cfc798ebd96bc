/* A to-do list in the browser: shows a page, takes what its forms send, and leads the browser back to the page.
   The list lives as long as this version does; nothing is stored. */
#include <cweb.h>

enum { most_items = 100, longest_text = 200 };

struct item {
    unsigned id;
    char text[longest_text + 1];
};

/* Two browsers may post at the same moment. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct item items[most_items];
static int item_count;
static unsigned last_id;

/* What somebody typed is text and never markup. */
static void print_escaped(FILE *out, const char *text) {
    for (; *text != '\0'; ++text) {
        switch (*text) {
            case '&': fputs("&amp;", out); break;
            case '<': fputs("&lt;", out); break;
            case '>': fputs("&gt;", out); break;
            case '"': fputs("&quot;", out); break;
            case '\'': fputs("&#39;", out); break;
            default: fputc(*text, out);
        }
    }
}

static int show_list(struct http_request *req, struct http_response *res) {
    (void)req;
    char *page = NULL;
    size_t length = 0;
    /* A stream into memory that grows: the page may be longer than the buffer that res->body points to. */
    FILE *out = open_memstream(&page, &length);
    if (out == NULL) {
        res->status = HTTP_500_INTERNAL_SERVER_ERROR;
        return 0;
    }
    fputs("<!doctype html><meta charset=utf-8><title>To do</title><h1>To do</h1><ul>", out);
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < item_count; ++i) {
        fputs("<li><form method=post action=/todo/done>", out);
        print_escaped(out, items[i].text);
        fprintf(out, " <button name=id value=%u>done</button></form>", items[i].id);
    }
    pthread_mutex_unlock(&mutex);
    fprintf(out, "</ul><form method=post action=/todo><input name=text maxlength=%d autofocus required>"
                 "<button>add</button></form>\n", longest_text);
    fclose(out);
    /* The block came from malloc, so the server frees it when the answer is sent. */
    res->body = page;
    return 0;
}

/* After a form, back to the page: reloading it then sends nothing twice. */
static int back_to_list(struct http_response *res) {
    res->status = HTTP_302_FOUND;
    map_insert(res->headers, "Location", "/todo");
    return 0;
}

static int refuse(struct http_response *res, http_error_t status, const char *sentence) {
    res->status = status;
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s\n", sentence);
    return 0;
}

static int add_item(struct http_request *req, struct http_response *res) {
    const char *text = map_get(req->data, "text");
    if (text == NULL || *text == '\0') return refuse(res, HTTP_400_BAD_REQUEST, "the field text is missing");
    if (strlen(text) > longest_text) return refuse(res, HTTP_400_BAD_REQUEST, "the text is longer than 200 bytes");
    pthread_mutex_lock(&mutex);
    const int full = item_count == most_items;
    if (!full) {
        items[item_count].id = ++last_id;
        strcpy(items[item_count].text, text);
        ++item_count;
    }
    pthread_mutex_unlock(&mutex);
    if (full) return refuse(res, HTTP_409_CONFLICT, "the list is full: get something done first");
    return back_to_list(res);
}

static int finish_item(struct http_request *req, struct http_response *res) {
    const char *id = map_get(req->data, "id");
    if (id == NULL) return refuse(res, HTTP_400_BAD_REQUEST, "the field id is missing");
    const unsigned long wanted = strtoul(id, NULL, 10);
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < item_count; ++i) {
        if (items[i].id != wanted) continue;
        --item_count;
        memmove(&items[i], &items[i + 1], (size_t)(item_count - i) * sizeof items[0]);
        break;
    }
    pthread_mutex_unlock(&mutex);
    return back_to_list(res);
}

export module_t config = {
    .name = "todo",
    .author = "cweb",
    .routes = {
        {"/todo", "GET", show_list, NONE},
        {"/todo", "POST", add_item, NONE},
        {"/todo/done", "POST", finish_item, NONE},
    },
    .size = 3,
};
