/* fault: a read through what the compiler knows to be a null pointer
 * answer: 500
 * says: null pointer: read from address 0x8, a member or element of what is not there (SIGSEGV)
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    struct {
        long first, second;
    } *none = NULL;
    calls = (int)none->second; /* here */
    return 0;
}
