/* fault: a fault in what qsort() calls
 * answer: 500
 * says: null pointer: read from address 0 (SIGSEGV)
 * chain: compare fault
 */
static int compare(const void *one, const void *other) {
    return *(const int *)one - *nothing; /* here */
}

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    int numbers[] = {3, 1, 2, 5, 4};
    qsort(numbers, 5, sizeof numbers[0], compare); /* called from here */
    return numbers[0];
}
