/* rpc/block: a list of metadata entries that owns its text. One thread at a time. */
#ifndef WEIR_RPC_BLOCK_H
#define WEIR_RPC_BLOCK_H

#include "rpc/rpc.h"

typedef struct weir_rpc_block {
    weir_rpc_header *items; /* each name is the start of one heap block that holds the value, too */
    size_t count;
    size_t capacity;
    size_t size; /* as HTTP/2 counts: name, value and 32 bytes each */
} weir_rpc_block;

void weir__rpc_block_clear(weir_rpc_block *block); /* a zeroed block is empty; it is so again afterwards */
/* Copies the entry as it is. */
bool weir__rpc_block_add(weir_rpc_block *block, weir_bytes name, weir_bytes value) WEIR_CHECKED;
/* A caller's entry, checked, with the value of a "-bin" name turned into base64: ready for the wire. */
weir_status weir__rpc_block_put(weir_rpc_block *block, const char *name, weir_bytes value,
                                weir_error *err) WEIR_CHECKED;
/*
 * An entry off the wire; base64 of "-bin" names is decoded, comma-joined values become several entries.
 * WEIR_FAILED: out of memory; WEIR_UNSUPPORTED: malformed base64.
 */
weir_status weir__rpc_block_receive(weir_rpc_block *block, weir_bytes name, weir_bytes value) WEIR_CHECKED;

#endif
