/* fault: a loop without end around a function of a library, in which it nearly always is
 * answer: 504
 * says: deadline of @DEADLINE@
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    for (;;) strtod("3.14159265358979323846264338327950288419716939937510", NULL); /* here */
}
