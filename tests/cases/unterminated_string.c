/* case: a string that never ends
 * expect: 422
 * stage: compile
 * says: expected expression
 * line: 9
 */
#include <cweb.h>

static const char *text = "no end;

export module_t config = {
    .name = "unterminated_string",
    .author = "cases",
    .routes = {{0}},
    .size = 1,
};
