/* fault: malloc() until there is no more
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static void *volatile block;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    while (1) block = malloc(1 << 20); /* here */
}
