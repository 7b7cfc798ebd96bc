/* fault: a failed assert
 * answer: 500
 * says: assertion `calls == 0' failed
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    assert(calls == 0); /* here */
    return 0;
}
