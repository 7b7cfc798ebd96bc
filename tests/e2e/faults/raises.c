/* fault: a signal that it raises itself
 * answer: 500
 * says: the module raised signal 11
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    raise(SIGSEGV); /* here */
    return 0;
}
