/* case: C++ instead of C
 * expect: 422
 * stage: compile
 * says: 'iostream' file not found
 * line: 7
 */
#include <iostream>

int twice(int n) { return 2 * n; }
