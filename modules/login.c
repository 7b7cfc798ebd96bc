/* Who somebody is, in a cookie: the name and its signature. Nobody but the server can make one, so nothing has to be
   remembered here, and a deploy logs nobody out. Who may log in is another question; here everybody may. */
#include <cweb.h>

enum { longest_name = 40 };

static int is_name(const char *text) {
    size_t length = 0;
    for (; text[length] != '\0'; ++length) {
        if (!isalnum((unsigned char)text[length])) return 0;
    }
    return length > 0 && length <= longest_name;
}

/* Copies the value of the cookie `name`; 0 when there is none. */
static int read_cookie(struct http_request *req, const char *name, char *value, size_t size) {
    const char *at = map_get(req->headers, "Cookie");
    const size_t length = strlen(name);
    while (at != NULL) {
        at += strspn(at, " ;");
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            at += length + 1;
            const size_t bytes = strcspn(at, ";");
            if (bytes >= size) return 0;
            memcpy(value, at, bytes);
            value[bytes] = '\0';
            return 1;
        }
        at = strchr(at, ';');
    }
    return 0;
}

/* The cookie is NAME.SIGNATURE. */
static int read_user(struct http_request *req, char name[longest_name + 1]) {
    char cookie[longest_name + 1 + CWEB_SIGNATURE_SIZE];
    if (!read_cookie(req, "user", cookie, sizeof cookie)) return 0;
    char *signature = strchr(cookie, '.');
    if (signature == NULL || signature - cookie > longest_name) return 0;
    *signature++ = '\0';
    if (crypto->verify_token(signature, cookie, strlen(cookie)) != 0) return 0;
    strcpy(name, cookie);
    return 1;
}

static int show(struct http_request *req, struct http_response *res) {
    char name[longest_name + 1];
    if (read_user(req, name)) {
        snprintf(res->body, HTTP_RESPONSE_SIZE, "<!doctype html><title>Login</title><p>Hello, %s."
                 "<form method=post action=/login/out><button>log out</button></form>\n", name);
    } else {
        strcpy(res->body, "<!doctype html><title>Login</title><p>Who are you?"
               "<form method=post><input name=name required pattern='[A-Za-z0-9]{1,40}'><button>log in</button></form>\n");
    }
    return 0;
}

static int back_with_cookie(struct http_response *res, const char *cookie) {
    res->status = HTTP_303_SEE_OTHER;
    map_insert(res->headers, "Location", "/login");
    map_insert(res->headers, "Set-Cookie", (void *)cookie);
    return 0;
}

static int log_in(struct http_request *req, struct http_response *res) {
    const char *name = map_get(req->data, "name");
    char signature[CWEB_SIGNATURE_SIZE];
    if (name == NULL || !is_name(name)) {
        res->status = HTTP_400_BAD_REQUEST;
        strcpy(res->body, "a name has 1 to 40 letters and digits\n");
        return 0;
    }
    if (crypto->sign_token(name, signature, sizeof signature) != 0) return -1;
    /* HttpOnly: no script gets at it. SameSite: no other site's forms are sent with it. */
    char cookie[200];
    snprintf(cookie, sizeof cookie, "user=%s.%s; Path=/login; HttpOnly; SameSite=Lax", name, signature);
    return back_with_cookie(res, cookie);
}

static int log_out(struct http_request *req, struct http_response *res) {
    (void)req;
    return back_with_cookie(res, "user=; Path=/login; Max-Age=0");
}

export module_t config = {
    .name = "login",
    .author = "cweb",
    .routes = {
        {"/login", "GET", show, NONE},
        {"/login", "POST", log_in, NONE},
        {"/login/out", "POST", log_out, NONE},
    },
    .size = 3,
};
