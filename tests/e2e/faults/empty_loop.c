/* fault: a loop without end and without a body
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    for (;;); /* here */
}
