/* fault: a write past the buffer of the answer
 * answer: 500
 * says: wrote past res->body, 8192 bytes (SIGSEGV)
 * chain: fault
 * needs: response
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    for (volatile int i = 0;; ++i) res->body[i] = 'x'; /* here */
}
