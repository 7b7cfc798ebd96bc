/* fault: a call of a function that is not there
 * answer: 500
 * says: null pointer: call of address 0 (SIGSEGV)
 * chain: fault
 */
static void (*volatile no_function)(void);

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    no_function(); /* here */
    return 0;
}
