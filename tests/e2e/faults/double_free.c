/* fault: a block that is freed twice
 * answer: 500
 * says: free
 * chain: fault
 */
static char *volatile block;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    block = malloc(100);
    free(block);
    free(block); /* here */
    return 0;
}
