/* fault: a signal to its own process
 * answer: 500
 * says: the module raised signal 11
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    kill(getpid(), SIGSEGV); /* here */
    return 0;
}
