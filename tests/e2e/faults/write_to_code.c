/* fault: a write to a function
 * answer: 500
 * says: which does not allow it (SIGSEGV)
 * chain: fault
 */
static int count(struct http_request *req, struct http_response *res);
static char *volatile code = (char *)count;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    *code = 1; /* here */
    return 0;
}
