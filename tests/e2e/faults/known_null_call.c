/* fault: a call of what the compiler knows to be a null pointer
 * answer: 500
 * says: null pointer: call of address 0 (SIGSEGV)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    void (*none)(void) = NULL;
    none(); /* here */
    return 0;
}
