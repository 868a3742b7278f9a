/*
 * rpc/frame: the length-prefixed messages of gRPC.
 *
 *      +------------+-------------------+-------------+
 *      | compressed | size (big endian) | message ... |
 *      | 1 byte     | 4 bytes           | size bytes  |
 *      +------------+-------------------+-------------+
 *
 * A message that arrives whole within one piece stays where it is and holds on to the slab; small ones, and
 * those cut by a frame or a read, are copied together. A size is believed only as far as bytes arrive
 * (R-RPC-02).
 */
#include "rpc/frame.h"

#include <string.h>

#include "base/alloc.h"

#define BORROW_SIZE_MIN \
    (16 * WEIR_KIB) /* a slab is held for a message of this size, at most 16 of them per slab */
#define PARTIAL_SIZE_FIRST (64 * WEIR_KIB) /* allocated on the word of a prefix alone */

void weir__rpc_deframer_init(weir_rpc_deframer *deframer, weir_rpc_pool *pool, size_t message_size_max)
{
    *deframer = (weir_rpc_deframer){ .pool = pool, .message_size_max = message_size_max };
}

static void drop_partial(weir_rpc_deframer *deframer)
{
    weir__free(deframer->partial);
    weir__rpc_pool_discharge(deframer->pool, deframer->charged);
    deframer->partial = NULL;
    deframer->partial_size = 0;
    deframer->partial_capacity = 0;
    deframer->charged = 0;
}

void weir__rpc_deframer_clear(weir_rpc_deframer *deframer)
{
    drop_partial(deframer);
    deframer->in_message = false;
    deframer->prefix_size = 0;
}

bool weir__rpc_deframer_is_inside(const weir_rpc_deframer *deframer)
{
    return deframer->in_message || deframer->prefix_size > 0;
}

void weir__rpc_deframer_credit(weir_rpc_deframer *deframer)
{
    deframer->credited = deframer->prefix_size;
    if (deframer->in_message)
        deframer->credited = WEIR_RPC_PREFIX_SIZE + deframer->partial_size;
}

void weir__rpc_prefix_write(unsigned char out[WEIR_RPC_PREFIX_SIZE], bool compressed, size_t size)
{
    out[0] = compressed ? 1 : 0;
    out[1] = (unsigned char)(size >> 24);
    out[2] = (unsigned char)(size >> 16);
    out[3] = (unsigned char)(size >> 8);
    out[4] = (unsigned char)size;
}

void weir__rpc_message_list_put(weir_rpc_message_list *list, weir_rpc_message *message)
{
    message->next = NULL;
    if (list->last != NULL)
        list->last->next = message;
    else
        list->first = message;
    list->last = message;
    list->wire_size += message->wire_size;
}

void weir__rpc_message_list_clear(weir_rpc_message_list *list)
{
    while (list->first != NULL) {
        weir_rpc_message *gone = list->first;

        list->first = gone->next;
        weir__rpc_message_free(gone);
    }
    *list = (weir_rpc_message_list){ 0 };
}

void weir__rpc_message_free(weir_rpc_message *message)
{
    if (message == NULL)
        return;
    weir__rpc_slab_unref(message->slab);
    if (message->pool != NULL) {
        weir__rpc_pool_discharge(message->pool, message->charged);
        weir__rpc_pool_free(message->pool);
    }
    weir__free(message->owned);
    weir__free(message);
}

weir_bytes weir__rpc_message_bytes(const weir_rpc_message *message)
{
    return (weir_bytes){ message->data, message->size };
}

static weir_rpc_code out_of_memory(const weir_rpc_deframer *deframer, weir_error *err)
{
    weir__error(err, "out of memory receiving a message of %zu bytes", deframer->size);
    return WEIR_RPC_RESOURCE_EXHAUSTED;
}

static weir_rpc_code read_prefix(weir_rpc_deframer *deframer, weir_error *err)
{
    const unsigned char *prefix = deframer->prefix;

    deframer->prefix_size = 0;
    if (prefix[0] > 1) {
        weir__error(err, "malformed message: its first byte is %u, not 0 or 1", prefix[0]);
        return WEIR_RPC_INTERNAL;
    }
    deframer->compressed = prefix[0] == 1;
    deframer->size = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    if (deframer->size > deframer->message_size_max) {
        weir__error(err, "message of %zu bytes is larger than the limit of %zu bytes", deframer->size,
                    deframer->message_size_max);
        return WEIR_RPC_RESOURCE_EXHAUSTED;
    }
    deframer->in_message = true;
    return WEIR_RPC_OK;
}

/* A finished message with `data`, from the slab or from the partial block. */
static weir_rpc_code finish(weir_rpc_deframer *deframer, weir_rpc_slab *slab, const char *data,
                            weir_rpc_message_list *out, weir_error *err)
{
    weir_rpc_message *message = weir__malloc(sizeof *message);

    if (message == NULL)
        return out_of_memory(deframer, err);
    *message = (weir_rpc_message){
        .data = data,
        .size = deframer->size,
        .wire_size = deframer->size + WEIR_RPC_PREFIX_SIZE - deframer->credited,
        .compressed = deframer->compressed,
    };
    if (slab != NULL) {
        message->slab = weir__rpc_slab_ref(slab);
    } else {
        message->owned = deframer->partial;
        message->pool = weir__rpc_pool_hold(deframer->pool);
        message->charged = deframer->charged;
        deframer->partial = NULL;
        deframer->charged = 0;
        drop_partial(deframer);
    }
    deframer->in_message = false;
    deframer->credited = 0;
    weir__rpc_message_list_put(out, message);
    return WEIR_RPC_OK;
}

/* Room for `more` bytes after the partial message, which grows no faster than bytes arrive. */
static bool grow_partial(weir_rpc_deframer *deframer, size_t more)
{
    size_t capacity = deframer->partial_capacity * 2;
    char *moved;

    if (deframer->partial != NULL && deframer->partial_capacity - deframer->partial_size >= more)
        return true;
    if (capacity < deframer->partial_size + more)
        capacity = deframer->partial_size + more;
    if (capacity < PARTIAL_SIZE_FIRST)
        capacity = PARTIAL_SIZE_FIRST;
    if (capacity > deframer->size)
        capacity = deframer->size;
    if (!weir__rpc_pool_charge(deframer->pool, capacity - deframer->partial_capacity))
        return false;
    deframer->charged += capacity - deframer->partial_capacity;
    moved = weir__realloc(deframer->partial, capacity);
    if (moved == NULL)
        return false;
    deframer->partial = moved;
    deframer->partial_capacity = capacity;
    return true;
}

/* Takes what belongs to the current message off the front of `bytes`. */
static weir_rpc_code fill(weir_rpc_deframer *deframer, weir_rpc_slab *slab, weir_bytes *bytes,
                          weir_rpc_message_list *out, weir_error *err)
{
    size_t step = deframer->size - deframer->partial_size;

    if (deframer->partial == NULL && slab != NULL && bytes->size >= step && step >= BORROW_SIZE_MIN &&
        weir__rpc_pool_may_borrow(deframer->pool)) {
        const char *data = bytes->data;

        bytes->data += step;
        bytes->size -= step;
        return finish(deframer, slab, data, out, err);
    }
    if (step > bytes->size)
        step = bytes->size;
    if (!grow_partial(deframer, step))
        return out_of_memory(deframer, err);
    if (step > 0)
        memcpy(deframer->partial + deframer->partial_size, bytes->data, step);
    deframer->partial_size += step;
    bytes->data += step;
    bytes->size -= step;
    if (deframer->partial_size < deframer->size)
        return WEIR_RPC_OK;
    return finish(deframer, NULL, deframer->partial, out, err);
}

weir_rpc_code weir__rpc_deframe(weir_rpc_deframer *deframer, weir_rpc_slab *slab, weir_bytes bytes,
                                weir_rpc_message_list *out, weir_error *err)
{
    weir_rpc_code code = WEIR_RPC_OK;

    while (code == WEIR_RPC_OK && (bytes.size > 0 || (deframer->in_message && deframer->size == 0))) {
        size_t step = WEIR_RPC_PREFIX_SIZE - deframer->prefix_size;

        if (deframer->in_message) {
            code = fill(deframer, slab, &bytes, out, err);
            continue;
        }
        if (step > bytes.size)
            step = bytes.size;
        memcpy(deframer->prefix + deframer->prefix_size, bytes.data, step);
        deframer->prefix_size += step;
        bytes.data += step;
        bytes.size -= step;
        if (deframer->prefix_size == WEIR_RPC_PREFIX_SIZE)
            code = read_prefix(deframer, err);
    }
    return code;
}
