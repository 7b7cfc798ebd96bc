/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_LIST_H
#define CWEB_LIST_H
#include <cweb.h>
#endif
