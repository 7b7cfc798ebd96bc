/* fault: _exit()
 * answer: 500
 * says: the module called _exit(7)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    _exit(7); /* here */
}
