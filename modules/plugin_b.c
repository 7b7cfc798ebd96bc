/* Has no route, and a function that other modules call: see plugin_a.c. What is not static is what it exports. */
#include <cweb.h>

int write_greeting(char *out, size_t size, const char *name) {
    return snprintf(out, size, "Good day, %s!\n", name);
}

export module_t config = {
    .name = "plugin_b",
    .author = "cweb",
};
