/* case: a handler that is an address and no function
 * expect: 422
 * stage: config
 * says: must be the name of a function
 * line: 13
 */
#include <cweb.h>


export module_t config = {
    .name = "handler_is_a_number",
    .author = "cases",
    .routes = {{"/case/handler_is_a_number", "GET", (entry_t)0x1234, NONE}},
    .size = 1,
};
