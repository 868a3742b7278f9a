/*
 * rpc/text: the small text forms of gRPC over HTTP/2: percent encoding, timeouts, base64, status numbers.
 * Pure.
 */
#ifndef WEIR_RPC_TEXT_H
#define WEIR_RPC_TEXT_H

#include "rpc/rpc.h"

/* grpc-message. `out` needs 3 * size bytes; returns the length written. */
size_t weir__rpc_percent_encode(weir_bytes text, char *out);
/*
 * In place of refusing it, a broken escape is taken as it stands. `out` needs size bytes and may be
 * text.data.
 */
size_t weir__rpc_percent_decode(weir_bytes text, char *out);

/* grpc-timeout: 1 to 8 digits and a unit. False when malformed. */
bool weir__rpc_timeout_parse(weir_bytes text, int64_t *timeout_ns);
/*
 * The value in the finest unit that 8 digits allow, rounded up; a negative timeout is "0n". `out` needs 16
 * bytes.
 */
void weir__rpc_timeout_format(int64_t timeout_ns, char *out);

/* Without padding. `out` needs (size + 2) / 3 * 4 bytes; returns the length. */
size_t weir__rpc_base64_encode(weir_bytes bytes, char *out);
/* With or without padding. `out` needs size / 4 * 3 + 3 bytes. False when malformed. */
bool weir__rpc_base64_decode(weir_bytes text, char *out, size_t *size);

/* The status for an HTTP response that brought none, and for a stream reset with an HTTP/2 error code. */
weir_rpc_code weir__rpc_code_of_http(int http_status);
weir_rpc_code weir__rpc_code_of_reset(uint32_t error_code);
/* Decimal digits only, at most 9; -1 otherwise. */
int weir__rpc_number(weir_bytes text);

#endif
