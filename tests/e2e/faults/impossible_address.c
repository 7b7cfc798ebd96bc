/* fault: a read from an address that the processor refuses
 * answer: 500
 * says: wild pointer: the address is none that can exist (SIGSEGV)
 * chain: fault
 */
static int *volatile wild = (int *)0x1234567890123456;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return *wild; /* here */
}
