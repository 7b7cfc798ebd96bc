/* fault: the signal of a division by zero, without one
 * answer: 500
 * says: the module raised signal 8
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    raise(SIGFPE); /* here */
    return 0;
}
