/* fault: a read of memory that was given back to the kernel
 * answer: 500
 * says: read from address 0x
 * chain: fault
 */
static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || munmap(page, 4096) != 0) return 0;
    return *(volatile char *)page; /* here */
}
