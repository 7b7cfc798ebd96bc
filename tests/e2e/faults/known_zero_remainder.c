/* fault: a remainder of what the compiler knows to be zero, beside a division
 * answer: 500
 * says: division by zero, or a quotient that does not fit (SIGFPE)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    unsigned long zero = 0;
    if (calls > 0) calls = (int)(17 % zero); /* here */
    else calls = (int)(17 / zero);
    return 0;
}
