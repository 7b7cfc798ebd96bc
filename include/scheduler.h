/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_SCHEDULER_H
#define CWEB_SCHEDULER_H
#include <cweb.h>
#endif
