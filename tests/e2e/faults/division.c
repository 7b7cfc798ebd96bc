/* fault: an integer divided by zero
 * answer: 500
 * says: division by zero, or a quotient that does not fit (SIGFPE)
 * chain: fault
 */
static volatile int zero;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", calls / zero); /* here */
    return 0;
}
