/* fault: a loop without end that computes
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static volatile unsigned long steps;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    for (;;) steps = steps + 1; /* here */
}
