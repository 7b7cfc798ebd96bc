/* fault: a call of a function that is not there, as the last thing of a function
 * answer: 500
 * says: null pointer: call of address 0 (SIGSEGV)
 * chain: fault
 */
static int (*volatile no_function)(void);

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return no_function(); /* here */
}
