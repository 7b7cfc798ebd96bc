/* fault: exit()
 * answer: 500
 * says: the module called exit(7)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    exit(7); /* here */
}
