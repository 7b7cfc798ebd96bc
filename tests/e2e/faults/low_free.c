/* fault: free() of an integer that was taken for a pointer, which is where the allocator remembers null to be
 * answer: 500
 * says: is not a block of memory
 * chain: fault
 */
static void *volatile low = (void *)0x1230;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    free(low); /* here */
    return 0;
}
