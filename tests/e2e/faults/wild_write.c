/* fault: a write to where no memory is
 * answer: 500
 * says: write to address 0x123456789000, where there is no memory (SIGSEGV)
 * chain: fault
 */
static int *volatile wild = (int *)0x123456789000;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    *wild = 1; /* here */
    return 0;
}
