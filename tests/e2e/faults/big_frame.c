/* fault: an array that is larger than the stack
 * answer: 500
 * says: (SIGSEGV)
 * chain: fill fault
 */
__attribute__((noinline)) static void fill(char *body) { /* here */
    volatile char array[64 << 20];
    array[0] = *body;
    *body = array[calls];
}

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    fill(res->body);
    return 0;
}
