/* fault: a recursion without end through map_insert
 * answer: 500
 * says: stack overflow (SIGSEGV)
 * chain: grow grow
 */
static int grow(int n, struct map *m) { char k[9]; snprintf(k, 9, "%d", n); map_insert(m, k, k); return grow(n + 1, m) + *k; } /* here */

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return grow(calls, res->headers) == 0;
}
