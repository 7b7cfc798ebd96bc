/* fault: a fault in a function that was inlined
 * answer: 500
 * says: null pointer: write to address 0 (SIGSEGV)
 * chain: poke fault
 */
static inline __attribute__((always_inline)) void poke(volatile int *at) {
    *at = 1; /* here */
}

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    poke(nothing); /* called from here */
    return 0;
}
