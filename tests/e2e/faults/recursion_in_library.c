/* fault: a recursion without end through a library that allocates from the process
 * answer: 500
 * says: stack overflow (SIGSEGV)
 * chain: grow grow
 */
static int grow(int n, struct map *m) { void *p = sqlite3_malloc(9); int more = grow(n, m); sqlite3_free(p); return more + 1; } /* here */

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return grow(calls, res->headers) == 0;
}
