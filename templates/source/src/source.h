/* @NAME@: the source, for main and for the tests. */
#ifndef SOURCE_H
#define SOURCE_H

#include <weir/weir.h>

extern const weir_source source;

#endif
