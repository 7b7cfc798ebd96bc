/* fault: memcpy() from an address that is none
 * answer: 500
 * says: read from address 0x1234567890
 * chain: fault
 */
static void *volatile wild = (void *)0x123456789000;
static volatile size_t length = 600;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    memcpy(res->body, wild, length); /* here */
    return res->body[0];
}
