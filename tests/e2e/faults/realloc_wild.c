/* fault: realloc() of an address that is none
 * answer: 500
 * says: is not a block of memory
 * chain: fault
 */
static void *volatile wild = (void *)0x123456789010;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    wild = realloc(wild, 200); /* here */
    return 0;
}
