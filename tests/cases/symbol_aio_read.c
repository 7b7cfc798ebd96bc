/* case: aio_read, which may call back on a thread of libc's
 * expect: 422
 * stage: link
 * says: aio_read
 * says: use pthread_create
 * line: 13
 */
#include <aio.h>
#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    struct aiocb work = {.aio_fildes = 0, .aio_buf = res->body, .aio_nbytes = (size_t)req->content_length};
    return aio_read(&work);
}

export module_t config = {
    .name = "symbol_aio_read",
    .author = "cases",
    .routes = {{"/case/symbol_aio_read", "GET", answer, NONE}},
    .size = 1,
};
