/* fault: abort()
 * answer: 500
 * says: the module called abort()
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    abort(); /* here */
}
