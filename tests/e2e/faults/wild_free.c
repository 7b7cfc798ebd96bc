/* fault: free() of an address that is none
 * answer: 500
 * says: is not a block of memory
 * chain: fault
 */
static void *volatile wild = (void *)0x123456789010;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    free(wild); /* here */
    return 0;
}
