/* fault: a function that calls itself without end
 * answer: 500
 * says: stack overflow (SIGSEGV)
 * chain: deeper deeper deeper
 */
static int deeper(int depth) { volatile char frame[256]; frame[0] = (char)depth; return deeper(depth + 1) + frame[0]; } /* here */

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return deeper(calls);
}
