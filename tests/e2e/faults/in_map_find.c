/* fault: a map function that is given no map
 * answer: 500
 * says: 
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return map_get((struct map *)bad_text, "a") != NULL; /* here */
}
