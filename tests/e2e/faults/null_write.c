/* fault: a write through a null pointer
 * answer: 500
 * says: null pointer: write to address 0 (SIGSEGV)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    *nothing = 1; /* here */
    return 0;
}
