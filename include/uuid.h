/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_UUID_H
#define CWEB_UUID_H
#include <cweb.h>
#endif
