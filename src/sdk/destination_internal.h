/* sdk/destination_internal: what the files that serve a destination's RPCs share. */
#ifndef WEIR_SDK_DESTINATION_INTERNAL_H
#define WEIR_SDK_DESTINATION_INTERNAL_H

#include <weir/destination.h>

#include "sdk/request.h"

static inline const weir_destination *weir__definition(const weir_request *request)
{
    return request->connector->definition;
}

/*
 * Fills in a reply that is a success, a warning or a task, as that of CreateTable. R-RPC-07: exactly one
 * member; a task wins over warnings, warnings over plain success.
 */
bool weir__answer_plain(weir_request *request, weir_status status);
/* The table of a request, in call memory; NULL when it is refused, and the call says why. */
weir_table *weir__take_table(weir_call *call, weir_bytes schema, const v2_table *in);
/* The names of a request, in call memory; the schema may be empty. Failure is in the call. */
weir_status weir__take_names(weir_call *call, weir_bytes schema, weir_bytes table, const char *out[2]);
/* Answers a request that nobody needs to look at. */
weir_rpc_code weir__send_constant(weir_rpc_call *rpc, const weir_codec_message *type, const void *reply);

/* RPCs with a file of their own; `context` is the weir_connector. */
weir_rpc_code weir__serve_write(weir_rpc_call *rpc, void *context);
weir_rpc_code weir__serve_history(weir_rpc_call *rpc, void *context);
weir_rpc_code weir__serve_migrate(weir_rpc_call *rpc, void *context);

#endif
