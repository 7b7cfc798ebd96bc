/* fault: free() of an array on the stack
 * answer: 500
 * says: is not a block of memory
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    char array[64];
    char *volatile block = array;
    ++calls;
    free(block); /* here */
    return 0;
}
