/* sdk/destination: the RPCs of a destination. */
#ifndef WEIR_SDK_DESTINATION_H
#define WEIR_SDK_DESTINATION_H

#include <weir/destination.h>

#include "base/error.h"
#include "sdk/request.h"

#define WEIR_DESTINATION_METHODS 10

/* Refuses a definition that cannot work, in a sentence for its author. */
weir_status weir__destination_check(const weir_destination *destination, weir_error *err) WEIR_CHECKED;
/* What requests need of it; `destination` is borrowed. */
void weir__destination_connector(const weir_destination *destination, weir_connector *out);
void weir__destination_methods(const weir_connector *connector,
                               weir_rpc_method out[WEIR_DESTINATION_METHODS]);

#endif
