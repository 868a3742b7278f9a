/*
 * fuzz/wire_codec: bytes from a peer decoded as any message of the wire.
 *
 * The first byte chooses the message. Invariants: memory stays within the arena's maximum; what is accepted
 * can be written; what was written is accepted, and writing it again gives the same bytes.
 */
#include <stdlib.h>

#include <wire/health.h>
#include <wire/reflection.h>
#include <wire/v2.h>

#define ARENA_SIZE ((size_t)1 << 22)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const weir_codec_message *choose(size_t number)
{
    number %= weir__v2_message_count + weir__health_message_count + weir__reflection_message_count;
    if (number < weir__v2_message_count)
        return weir__v2_messages[number];
    number -= weir__v2_message_count;
    if (number < weir__health_message_count)
        return weir__health_messages[number];
    return weir__reflection_messages[number - weir__health_message_count];
}

/* Decodes `in` and appends the message to `out`; false when it was refused. */
static bool recode(const weir_codec_message *type, weir_bytes in, weir_buf *out)
{
    weir_arena *arena = weir__arena_new(ARENA_SIZE);
    void *message = malloc(type->size);
    weir_error err;
    bool accepted;

    require(arena != NULL && message != NULL);
    accepted = weir__codec_decode(type, in, arena, message, &err) == WEIR_OK;
    require(weir__arena_used(arena) <= ARENA_SIZE);
    if (accepted)
        require(weir__codec_encode(type, message, out, &err) == WEIR_OK);
    free(message);
    weir__arena_free(arena);
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_buf first;
    weir_buf second;
    const weir_codec_message *type;

    if (size == 0)
        return 0;
    type = choose(data[0]);
    weir__buf_init(&first, ARENA_SIZE);
    weir__buf_init(&second, ARENA_SIZE);
    if (recode(type, (weir_bytes){ (const char *)data + 1, size - 1 }, &first)) {
        require(recode(type, weir__buf_bytes(&first), &second));
        require(first.size == second.size &&
                (first.size == 0 || memcmp(first.data, second.data, first.size) == 0));
    }
    weir__buf_clear(&first);
    weir__buf_clear(&second);
    return 0;
}
