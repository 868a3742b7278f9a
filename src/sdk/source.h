/* sdk/source: the RPCs of a source. */
#ifndef WEIR_SDK_SOURCE_H
#define WEIR_SDK_SOURCE_H

#include <weir/source.h>

#include "base/error.h"
#include "sdk/request.h"

#define WEIR_SOURCE_METHODS 4

/* Refuses a definition that cannot work, in a sentence for its author. */
weir_status weir__source_check(const weir_source *source, weir_error *err) WEIR_CHECKED;
/* What requests need of it; `source` is borrowed. */
void weir__source_connector(const weir_source *source, weir_connector *out);
void weir__source_methods(const weir_connector *connector, weir_rpc_method out[WEIR_SOURCE_METHODS]);

#endif
