/* fault: a read of a member of a struct that is not there
 * answer: 500
 * says: null pointer: read from address 0x48
 * chain: fault
 */
struct person {
    char name[72];
    int age;
};
static struct person *volatile who;

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return who->age; /* here */
}
