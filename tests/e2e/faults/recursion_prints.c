/* fault: a recursion without end through snprintf
 * answer: 500
 * says: stack overflow (SIGSEGV)
 * chain: grow grow
 */
static int grow(int n, struct map *m) { char k[99]; snprintf(k, 99, "%.17g", n / 3.0); n = grow(n + 1, m); return n + k[n & 63]; } /* here */

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return grow(calls, res->headers) == 0;
}
