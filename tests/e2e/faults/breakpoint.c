/* fault: a breakpoint that nobody waits for
 * answer: 500
 * says: breakpoint instruction (SIGTRAP)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    __builtin_debugtrap(); /* here */
    return 0;
}
