/* fault: a read behind the end of a file that has become shorter
 * answer: 500
 * says: (SIGBUS)
 * chain: fault
 */
int memfd_create(const char *name, unsigned flags);

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    const int file = memfd_create("shortened", 0);
    if (file < 0 || ftruncate(file, 8192) != 0) return 0;
    const volatile char *text = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);
    const int shortened = ftruncate(file, 4096);
    close(file);
    if (text == MAP_FAILED || shortened != 0) return 0;
    return text[5000]; /* here */
}
