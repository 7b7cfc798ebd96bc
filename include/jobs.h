/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_JOBS_H
#define CWEB_JOBS_H
#include <cweb.h>
#endif
