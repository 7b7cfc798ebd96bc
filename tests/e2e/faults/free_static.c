/* fault: free() of a static array
 * answer: 500
 * says: free() was given memory of the module itself
 * chain: fault
 */
static char array[64];
static char *volatile block = array;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    free(block); /* here */
    return 0;
}
