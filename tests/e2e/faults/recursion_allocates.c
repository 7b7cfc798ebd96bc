/* fault: a recursion without end through malloc, which is what meets the end of the stack
 * answer: 500
 * says: stack overflow (SIGSEGV)
 * chain: grow grow
 */
static int grow(int n, struct map *m) { char *volatile p = malloc(8); n = grow(n + 1, m); free(p); return n + 1; } /* here */

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return grow(calls, res->headers) == 0;
}
