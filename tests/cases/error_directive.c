/* case: the source refuses to be compiled
 * expect: 422
 * stage: compile
 * says: this part is not finished
 * line: 9
 */
#include <cweb.h>

#error this part is not finished
