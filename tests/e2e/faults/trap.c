/* fault: __builtin_trap
 * answer: 500
 * says: __builtin_trap, code that C says is never reached, or an instruction that does not exist (SIGILL)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    __builtin_trap(); /* here */
}
