/* fault: free() of the middle of a block
 * answer: 500
 * says: free
 * chain: fault
 */
static char *volatile block;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    block = malloc(1000);
    free(block + 24); /* here */
    return 0;
}
