/* fault: a fault after the frame pointers were overwritten
 * answer: 500
 * says: 
 * chain: smash
 */
__attribute__((noinline)) static void smash(char *frame) {
    memset(frame - 32, 0x5a, 48);
    *nothing = 1; /* here */
}

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    smash((char *)__builtin_frame_address(0));
    return 0;
}
