/* fault: a loop without end around a function of the server's
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    for (;;) cweb_cache_put("key", "value", 5, 0); /* here */
}
