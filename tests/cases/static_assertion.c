/* case: a static assertion fails
 * expect: 422
 * stage: compile
 * says: why
 * line: 9
 */
#include <cweb.h>

_Static_assert(0, "why");

export module_t config = {
    .name = "static_assertion",
    .author = "cases",
    .routes = {{0}},
    .size = 0,
};
