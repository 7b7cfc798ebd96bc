/* A guest book: what visitors write is kept in the database that all modules share, and outlives this module. With
   --database FILE it outlives the server, too. */
#include <cweb.h>

enum { longest_name = 60, longest_text = 500, shown = 50 };

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

static int refuse(struct http_response *res, http_error_t status, const char *sentence) {
    res->status = status;
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s\n", sentence);
    return 0;
}

static int show(struct http_request *req, struct http_response *res) {
    (void)req;
    sqlite3_stmt *entries = NULL;
    if (database->prepare("SELECT name, text FROM guestbook ORDER BY id DESC LIMIT ?", -1, &entries, NULL) !=
        SQLITE_OK) {
        return refuse(res, HTTP_500_INTERNAL_SERVER_ERROR, "the book cannot be read");
    }
    database->bind_int(entries, 1, shown);
    char *page = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&page, &length);
    if (out == NULL) {
        database->finalize(entries);
        return refuse(res, HTTP_500_INTERNAL_SERVER_ERROR, "out of memory");
    }
    fputs("<!doctype html><meta charset=utf-8><title>Guest book</title><h1>Guest book</h1>"
          "<form method=post><input name=name placeholder=name required> <input name=text placeholder=text required>"
          "<button>sign</button></form><dl>", out);
    while (database->step(entries) == SQLITE_ROW) {
        fputs("<dt>", out);
        print_escaped(out, (const char *)database->column_text(entries, 0));
        fputs("<dd>", out);
        print_escaped(out, (const char *)database->column_text(entries, 1));
    }
    fputs("</dl>\n", out);
    database->finalize(entries);
    fclose(out);
    res->body = page;
    return 0;
}

static int add(struct http_request *req, struct http_response *res) {
    const char *name = map_get(req->data, "name"), *text = map_get(req->data, "text");
    if (name == NULL || text == NULL || *name == '\0' || *text == '\0') {
        return refuse(res, HTTP_400_BAD_REQUEST, "name and text are needed");
    }
    if (strlen(name) > longest_name || strlen(text) > longest_text) {
        return refuse(res, HTTP_400_BAD_REQUEST, "that is too long");
    }
    /* Values are bound, and never a part of the SQL: nobody can write SQL into the form. */
    sqlite3_stmt *entry = NULL;
    if (database->prepare("INSERT INTO guestbook (name, text) VALUES (?, ?)", -1, &entry, NULL) != SQLITE_OK) {
        return refuse(res, HTTP_500_INTERNAL_SERVER_ERROR, "the book cannot be written");
    }
    database->bind_text(entry, 1, name, -1, SQLITE_TRANSIENT);
    database->bind_text(entry, 2, text, -1, SQLITE_TRANSIENT);
    const int result = database->step(entry);
    database->finalize(entry);
    if (result != SQLITE_DONE) return refuse(res, HTTP_500_INTERNAL_SERVER_ERROR, "the entry was not kept");
    res->status = HTTP_303_SEE_OTHER;
    map_insert(res->headers, "Location", "/guestbook");
    return 0;
}

static void make_table(void) {
    database->exec("CREATE TABLE IF NOT EXISTS guestbook"
                   " (id INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL)", NULL, NULL, NULL);
}

export module_t config = {
    .name = "guestbook",
    .author = "cweb",
    .routes = {
        {"/guestbook", "GET", show, NONE},
        {"/guestbook", "POST", add, NONE},
    },
    .size = 2,
    .onload = make_table,
};
