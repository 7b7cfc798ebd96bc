/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_MAP_H
#define CWEB_MAP_H
#include <cweb.h>
#endif
