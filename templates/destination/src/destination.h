/* @NAME@: the destination, for main and for the tests. */
#ifndef DESTINATION_H
#define DESTINATION_H

#include <weir/weir.h>

extern const weir_destination destination;

#endif
