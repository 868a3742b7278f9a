/* rpc/block: metadata in and out, and the rules for its names and values. */
#include "rpc/block.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "rpc/text.h"

#define ENTRY_COST 32 /* RFC 9113, 6.5.2 */

void weir__rpc_block_clear(weir_rpc_block *block)
{
    for (size_t i = 0; i < block->count; i++)
        weir__free((char *)(uintptr_t)block->items[i].name.data);
    weir__free(block->items);
    *block = (weir_rpc_block){ 0 };
}

/* Room for an entry whose value takes `value_size` bytes; its text is left to the caller. */
static char *add_room(weir_rpc_block *block, weir_bytes name, size_t value_size)
{
    char *text;

    if (block->count == block->capacity) {
        size_t capacity = block->capacity > 0 ? block->capacity * 2 : 8;
        weir_rpc_header *items = weir__realloc_array(block->items, capacity, sizeof *items);

        if (items == NULL)
            return NULL;
        block->items = items;
        block->capacity = capacity;
    }
    text = weir__malloc(name.size + value_size + 2);
    if (text == NULL)
        return NULL;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    block->items[block->count++] = (weir_rpc_header){
        .name = { text, name.size },
        .value = { text + name.size + 1, value_size },
    };
    return text + name.size + 1;
}

/* Settles the size of the last entry's value, once it is known. */
static void settle(weir_rpc_block *block, size_t value_size)
{
    weir_rpc_header *last = &block->items[block->count - 1];

    last->value.size = value_size;
    ((char *)(uintptr_t)last->value.data)[value_size] = '\0';
    block->size += last->name.size + value_size + ENTRY_COST;
}

bool weir__rpc_block_add(weir_rpc_block *block, weir_bytes name, weir_bytes value)
{
    char *room = add_room(block, name, value.size);

    if (room == NULL)
        return false;
    if (value.size > 0)
        memcpy(room, value.data, value.size);
    settle(block, value.size);
    return true;
}

static bool is_binary(weir_bytes name)
{
    return name.size > 4 && memcmp(name.data + name.size - 4, "-bin", 4) == 0;
}

static bool is_reserved(weir_bytes name)
{
    static const char *const taken[] = { "content-type",      "te",      "connection", "host",
                                         "transfer-encoding", "upgrade", "keep-alive", "proxy-connection",
                                         "user-agent" };

    if (name.size >= 5 && memcmp(name.data, "grpc-", 5) == 0)
        return true;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (weir__bytes_equal(name, weir__text(taken[i])))
            return true;
    return false;
}

static bool is_name(weir_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return name.size > 0;
}

static bool is_ascii_value(weir_bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7E)
            return false;
    /* HTTP strips blanks at the ends, so they would not arrive. */
    return value.size == 0 || (value.data[0] != ' ' && value.data[value.size - 1] != ' ');
}

weir_status weir__rpc_block_put(weir_rpc_block *block, const char *name, weir_bytes value, weir_error *err)
{
    weir_bytes key = weir__text(name);
    bool binary = is_binary(key);
    size_t size = binary ? (value.size + 2) / 3 * 4 : value.size;
    char *room;

    if (!is_name(key))
        return weir__error(err, "cannot add metadata '%s': a name has only 0-9, a-z, '_', '-' and '.'", name);
    if (is_reserved(key))
        return weir__error(err, "cannot add metadata '%s': the name is used by gRPC or HTTP", name);
    if (!binary && !is_ascii_value(value))
        return weir__error(
            err,
            "cannot add metadata '%s': its value is not printable ASCII without blanks at the ends. "
            "Use a name that ends in '-bin' for bytes",
            name);
    if (block->size + key.size + size + ENTRY_COST > WEIR_RPC_HEADER_SIZE_SERVER)
        return weir__error(err, "cannot add metadata '%s': more than %zu bytes in all", name,
                           WEIR_RPC_HEADER_SIZE_SERVER);
    room = add_room(block, key, size);
    if (room == NULL)
        return weir__error_memory(err, "adding metadata");
    if (binary)
        size = weir__rpc_base64_encode(value, room);
    else if (size > 0)
        memcpy(room, value.data, size);
    settle(block, size);
    return WEIR_OK;
}

weir_status weir__rpc_block_receive(weir_rpc_block *block, weir_bytes name, weir_bytes value)
{
    if (!is_binary(name))
        return weir__rpc_block_add(block, name, value) ? WEIR_OK : WEIR_FAILED;
    for (;;) {
        const char *comma = value.size > 0 ? memchr(value.data, ',', value.size) : NULL;
        size_t part_size = comma != NULL ? (size_t)(comma - value.data) : value.size;
        weir_bytes part = { value.data, part_size };
        char *room = add_room(block, name, part_size / 4 * 3 + 3);
        size_t size = 0;
        bool valid;

        if (room == NULL)
            return WEIR_FAILED;
        while (part.size > 0 && part.data[0] == ' ')
            part = (weir_bytes){ part.data + 1, part.size - 1 };
        valid = weir__rpc_base64_decode(part, room, &size);
        settle(block, size);
        if (!valid)
            return WEIR_UNSUPPORTED;
        if (comma == NULL)
            return WEIR_OK;
        value = (weir_bytes){ comma + 1, value.size - part_size - 1 };
    }
}

bool weir__rpc_header_find(weir_rpc_headers headers, const char *name, weir_bytes *value)
{
    weir_bytes key = weir__text(name);

    for (size_t i = 0; i < headers.count; i++) {
        if (weir__bytes_equal(headers.items[i].name, key)) {
            *value = headers.items[i].value;
            return true;
        }
    }
    return false;
}
