/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_CONTAINER_H
#define CWEB_CONTAINER_H
#include <cweb.h>
#endif
