/* fault: map_insert of a text that is none
 * answer: 500
 * says: null pointer: read from address 0x10
 * chain: fault
 * needs: response
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    map_insert(res->headers, "X-Text", bad_text); /* here */
    return 0;
}
