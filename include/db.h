/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_DB_H
#define CWEB_DB_H
#include <cweb.h>
#endif
