/* A module that includes what modules are known to include: all that cweb.h brings, and unistd, time, math and two
   headers of OpenSSL. It signs a line about the time with a key; deploying it shows what headers cost. */
#include <cweb.h>
#include <math.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <time.h>
#include <unistd.h>

static const char key[] = "not a secret";

static void write_hex(const unsigned char *bytes, size_t count, char *text) {
    for (size_t i = 0; i < count; ++i) sprintf(text + 2 * i, "%02x", bytes[i]);
}

static int sign_time(struct http_request *req, struct http_response *res) {
    unsigned char digest[SHA256_DIGEST_LENGTH], code[SHA256_DIGEST_LENGTH];
    unsigned code_length = sizeof code;
    char line[96], digest_text[2 * sizeof digest + 1], code_text[2 * sizeof code + 1];
    const time_t now = time(NULL);
    const int length = snprintf(line, sizeof line, "%ld %d %.3f", (long)now, (int)getpid(), sqrt((double)now));
    (void)req;
    SHA256((const unsigned char *)line, (size_t)length, digest);
    if (HMAC(EVP_sha256(), key, (int)sizeof key - 1, digest, sizeof digest, code, &code_length) == NULL) return -1;
    write_hex(digest, sizeof digest, digest_text);
    write_hex(code, code_length, code_text);
    map_insert(res->headers, "Content-Type", "application/json");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "{\"line\": \"%s\", \"digest\": \"%s\", \"code\": \"%s\"}\n", line, digest_text,
             code_text);
    return 0;
}

export module_t config = {
    .name = "wide",
    .author = "cweb",
    .routes = {{"/wide", "GET", sign_time, NONE}},
    .size = 1,
};
