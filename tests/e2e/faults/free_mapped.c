/* fault: free() of what mmap() gave
 * answer: 500
 * says: is not a block of memory
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    char *volatile page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return 0;
    free(page); /* here */
    return 0;
}
