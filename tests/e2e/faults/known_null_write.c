/* fault: a write through what the compiler knows to be a null pointer
 * answer: 500
 * says: null pointer: write to address 0 (SIGSEGV)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    int *none = NULL;
    *none = calls; /* here */
    return 0;
}
