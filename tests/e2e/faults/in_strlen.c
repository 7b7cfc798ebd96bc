/* fault: strlen() of a text that is none
 * answer: 500
 * says: null pointer: read from address 0x10
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return (int)strlen(bad_text); /* here */
}
