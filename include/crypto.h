/* Modules of earlier servers include this part by name; all of it is in cweb.h. */
#ifndef CWEB_CRYPTO_H
#define CWEB_CRYPTO_H
#include <cweb.h>
#endif
