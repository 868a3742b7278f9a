/*
 * rpc/frame: cuts a stream's bytes into gRPC messages. Pure but for the slabs; one thread.
 */
#ifndef WEIR_RPC_FRAME_H
#define WEIR_RPC_FRAME_H

#include "rpc/rpc.h"
#include "rpc/slab.h"

#define WEIR_RPC_PREFIX_SIZE 5

struct weir_rpc_message {
    weir_rpc_message *next;
    weir_rpc_slab *slab; /* what `data` points into, or NULL */
    char *owned;         /* else a block of the heap */
    weir_rpc_pool *pool; /* with `owned`: held, and charged with `charged` bytes */
    size_t charged;
    const char *data;
    size_t size;
    size_t wire_size; /* bytes of flow control it stands for */
    bool compressed;  /* came so; `data` may have been inflated since */
};

typedef struct weir_rpc_message_list {
    weir_rpc_message *first;
    weir_rpc_message *last;
    size_t wire_size;
} weir_rpc_message_list;

typedef struct weir_rpc_deframer {
    weir_rpc_pool *pool;
    size_t message_size_max;
    unsigned char prefix[WEIR_RPC_PREFIX_SIZE];
    size_t prefix_size; /* bytes of it that are there */
    bool in_message;    /* the prefix is whole, the content is not */
    bool compressed;
    size_t size;   /* of the message */
    char *partial; /* what is there of it */
    size_t partial_size;
    size_t partial_capacity;
    size_t charged;  /* bytes, to the pool */
    size_t credited; /* bytes of the unfinished message whose flow control has been given back */
} weir_rpc_deframer;

void weir__rpc_deframer_init(weir_rpc_deframer *deframer, weir_rpc_pool *pool, size_t message_size_max);
void weir__rpc_deframer_clear(weir_rpc_deframer *deframer);
/*
 * Takes `bytes`, which lie in `slab` (messages may hold on to it) or anywhere (slab NULL), and appends whole
 * messages to `out`. WEIR_RPC_OK, or what is wrong with the stream: RESOURCE_EXHAUSTED for a message over the
 * limit (known from its prefix, nothing is allocated) or out of memory, INTERNAL for a malformed prefix.
 * After a failure it takes no more.
 */
weir_rpc_code weir__rpc_deframe(weir_rpc_deframer *deframer, weir_rpc_slab *slab, weir_bytes bytes,
                                weir_rpc_message_list *out, weir_error *err) WEIR_CHECKED;
/* True in the middle of a message. */
bool weir__rpc_deframer_is_inside(const weir_rpc_deframer *deframer);
/* The bytes there are of the unfinished message need no flow control any more: it is given back now. */
void weir__rpc_deframer_credit(weir_rpc_deframer *deframer);
/* Writes the prefix of a message. */
void weir__rpc_prefix_write(unsigned char out[WEIR_RPC_PREFIX_SIZE], bool compressed, size_t size);

void weir__rpc_message_list_put(weir_rpc_message_list *list, weir_rpc_message *message);
void weir__rpc_message_list_clear(weir_rpc_message_list *list);

#endif
