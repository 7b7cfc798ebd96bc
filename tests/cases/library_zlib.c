/* case: functions of zlib
 * expect: 200
 * get: /case/library_zlib -> 200 1 200 599af058
 */
#include <cweb.h>
#include <zlib.h>

static int answer(struct http_request *req, struct http_response *res) {
    (void)req;
    unsigned char packed[256], plain[256];
    uLongf packed_size = sizeof packed, plain_size = sizeof plain;
    memset(plain, 'a', 200);
    if (compress(packed, &packed_size, plain, 200) != Z_OK) return -1;
    if (uncompress(plain, &plain_size, packed, packed_size) != Z_OK) return -1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %lu %lx\n", packed_size < 50, plain_size,
             crc32(0, plain, (uInt)plain_size));
    return 0;
}

export module_t config = {
    .name = "library_zlib",
    .author = "cases",
    .routes = {{"/case/library_zlib", "GET", answer, NONE}},
    .size = 1,
};
