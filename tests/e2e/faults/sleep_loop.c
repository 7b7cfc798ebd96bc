/* fault: a loop that waits for what nobody does
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    static volatile int done;
    while (!done) usleep(100); /* here */
    return 0;
}
