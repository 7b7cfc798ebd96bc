/* fault: a recursion without end that has a thread-local variable looked up
 * answer: 500
 * says: stack overflow (SIGSEGV)
 * chain: grow grow
 */
static _Thread_local int steps;

static int grow(int n, struct map *m) { volatile char c = (char)++steps; return grow(n + 1, m) + c; } /* here */

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return grow(calls, res->headers) == 0;
}
