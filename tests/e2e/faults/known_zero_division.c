/* fault: a division by what the compiler knows to be zero
 * answer: 500
 * says: division by zero, or a quotient that does not fit (SIGFPE)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    int zero = 0;
    calls = calls / zero; /* here */
    return 0;
}
