/* case: a module without routes, which is no error
 * expect: 200
 * get: /case/routes_none -> 404 no module has this path
 */
#include <cweb.h>


export module_t config = {
    .name = "routes_none",
};
