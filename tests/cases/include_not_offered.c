/* case: includes the header of a library that is not offered
 * expect: 422
 * stage: compile
 * says: 'gmp.h' file not found
 * says: `cweb serve --include DIR` offers those of another directory
 * line: 9
 */
#include <cweb.h>
#include <gmp.h>

export module_t config = {.name = "include_not_offered", .author = "cases"};
