/* fault: a sleep that is longer than the deadline
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    sleep(30); /* here */
    return 0;
}
