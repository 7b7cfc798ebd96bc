/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_HTTP_H
#define CWEB_HTTP_H
#include <cweb.h>
#endif
