/* fault: sqlite with a statement that is none
 * answer: 500
 * says: null pointer: read from address 0x
 * chain: fault
 */
#include <sqlite3.h>

static int fault(struct http_request *req, struct http_response *res) {
    ++calls;
    return sqlite3_step((sqlite3_stmt *)bad_text) != SQLITE_DONE; /* here */
}
