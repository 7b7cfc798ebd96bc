/* fault: realloc() of a block that is freed
 * answer: 500
 * says: realloc() was given a block that is freed already
 * chain: fault
 */
static char *volatile block;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    block = malloc(100);
    free(block);
    block = realloc(block, 200); /* here */
    return 0;
}
