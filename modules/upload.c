/* Takes any file and says what is in it: size, SHA-256 and how often each byte value occurs.
   curl --data-binary @photo.jpg -H 'Content-Type: application/octet-stream' http://localhost:8080/upload */
#include <cweb.h>
#include <openssl/evp.h>

static const char page[] =
    "<!doctype html><meta charset=utf-8><title>Upload</title>\n"
    "<h1>What is in this file?</h1><input type=file id=file><pre id=facts></pre>\n"
    "<canvas id=bars width=512 height=100></canvas>\n"
    "<script>\n"
    "file.onchange = async () => {\n"
    "  const headers = {'Content-Type': 'application/octet-stream'};\n"
    "  const answer = await fetch('/upload', {method: 'POST', headers, body: file.files[0]});\n"
    "  if (!answer.ok) { facts.textContent = await answer.text(); return; }\n"
    "  const {size, sha256, histogram} = await answer.json();\n"
    "  facts.textContent = size + ' bytes\\nSHA-256 ' + sha256;\n"
    "  const pen = bars.getContext('2d'), most = Math.max(1, ...histogram);\n"
    "  pen.clearRect(0, 0, 512, 100);\n"
    "  histogram.forEach((n, i) => pen.fillRect(2 * i, 100 - 100 * n / most, 2, 100));\n"
    "};\n"
    "</script>\n";

static int show_page(struct http_request *req, struct http_response *res) {
    (void)req;
    /* A static array: the server sends it and frees nothing. */
    res->body = (char *)page;
    return 0;
}

static int describe(struct http_request *req, struct http_response *res) {
    /* The body may hold any bytes: content_length counts them, strlen would stop at the first NUL. */
    const unsigned char *bytes = (const unsigned char *)req->body;
    const size_t size = (size_t)req->content_length;

    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    if (!EVP_Digest(bytes, size, digest, &digest_bytes, EVP_sha256(), NULL)) {
        res->status = HTTP_500_INTERNAL_SERVER_ERROR;
        return 0;
    }
    unsigned histogram[256] = {0};
    for (size_t i = 0; i < size; ++i) ++histogram[bytes[i]];

    /* 256 counts of ten digits and a comma fit into the buffer twice over. */
    char *out = res->body;
    out += sprintf(out, "{\"size\":%zu,\"sha256\":\"", size);
    for (unsigned i = 0; i < digest_bytes; ++i) out += sprintf(out, "%02x", digest[i]);
    out += sprintf(out, "\",\"histogram\":[%u", histogram[0]);
    for (int i = 1; i < 256; ++i) out += sprintf(out, ",%u", histogram[i]);
    sprintf(out, "]}\n");
    map_insert(res->headers, "Content-Type", "application/json");
    return 0;
}

export module_t config = {
    .name = "upload",
    .author = "cweb",
    .routes = {
        {"/upload", "GET", show_page, NONE},
        {"/upload", "POST", describe, NONE},
    },
    .size = 2,
};
