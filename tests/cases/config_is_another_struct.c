/* case: config is a struct module of the author's own
 * expect: 422
 * stage: config
 * says: not the one that <cweb.h> defines
 * line: 14
 */
#include <stdio.h>

struct module {
    char name[128];
    int size;
};

struct module config = {"config_is_another_struct", 0};
