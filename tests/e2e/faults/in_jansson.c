/* fault: jansson with a value that is none
 * answer: 500
 * says: (SIGSEGV)
 * chain: fault
 */
static json_t *volatile value = (json_t *)0x123456789010;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return json_object_get(value, "a") != NULL; /* here */
}
