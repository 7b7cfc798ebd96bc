/* fault: a call of what is no code
 * answer: 500
 * says: (SIGSEGV)
 * chain: fault
 */
static void (*volatile data)(void) = (void (*)(void))&calls;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    data(); /* here */
    return 0;
}
