/* rpc/gzip: one message in, one message out (R-RPC-03). Pure. */
#ifndef WEIR_RPC_GZIP_H
#define WEIR_RPC_GZIP_H

#include "base/buf.h"
#include "base/error.h"

/* Appends the gzip form of `message` to `out`. */
weir_status weir__rpc_deflate(weir_bytes message, weir_buf *out, weir_error *err) WEIR_CHECKED;
/*
 * Appends the content of exactly one gzip member to `out`, growing it as bytes come; fails with
 * WEIR_UNSUPPORTED when the content passes out->size_max, with WEIR_FAILED when the input is no gzip, is cut,
 * or goes on after its end.
 */
weir_status weir__rpc_inflate(weir_bytes message, weir_buf *out, weir_error *err) WEIR_CHECKED;

#endif
