/* case: functions of libcrypto
 * expect: 200
 * get: /case/library_openssl -> 200 baad 9cab 32
 */
#include <cweb.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    unsigned char digest[SHA256_DIGEST_LENGTH], code[EVP_MAX_MD_SIZE];
    unsigned code_size = 0;
    SHA256((const unsigned char *)"abc", 3, digest);
    HMAC(EVP_sha256(), "key", 3, (const unsigned char *)"abc", 3, code, &code_size);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%02x%02x %02x%02x %u\n", digest[0], digest[31], code[0], code[31],
             code_size);
    return 0;
}

export module_t config = {
    .name = "library_openssl",
    .author = "cases",
    .routes = {{"/case/library_openssl", "GET", answer, NONE}},
    .size = 1,
};
