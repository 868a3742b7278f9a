/* record/mask: a short list of secrets, searched one after the other; see mask.h. */
#include "record/mask.h"

#include <sodium.h>
#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "record/rewrite.h"

static bool is(weir_bytes value, const char *text)
{
    return value.size == strlen(text) && memcmp(value.data, text, value.size) == 0;
}

static weir_status add_one(record_mask *mask, weir_bytes value, weir_error *err)
{
    char *copy;
    size_t at;

    if (value.size < WEIR_RECORD_SECRET_SIZE_MIN || is(value, "true") || is(value, "false") ||
        mask->count >= WEIR_CONFIG_COUNT_MAX + WEIR_SECRET_PARTS_MAX)
        return WEIR_OK;
    if (mask->count == mask->capacity) {
        size_t wanted = mask->capacity ? mask->capacity * 2 : 16;
        weir_bytes *grown = weir__realloc_array(mask->secrets, wanted, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "masking a configuration");
        mask->secrets = grown;
        mask->capacity = wanted;
    }
    copy = weir__copy_text(value.data, value.size);
    if (copy == NULL)
        return weir__error_memory(err, "masking a configuration");
    for (at = mask->count++; at > 0 && mask->secrets[at - 1].size < value.size; at--)
        mask->secrets[at] = mask->secrets[at - 1];
    mask->secrets[at] = (weir_bytes){ copy, value.size };
    return WEIR_OK;
}

/* Keys and certificates are logged line by line. */
static weir_status add_lines(record_mask *mask, weir_bytes value, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t from = 0; from < value.size && status == WEIR_OK;) {
        size_t size = 0;

        while (from + size < value.size && value.data[from + size] != '\n' && value.data[from + size] != '\r')
            size++;
        status = add_one(mask, (weir_bytes){ value.data + from, size }, err);
        from += size + 1;
    }
    return status;
}

weir_status record_mask_add(record_mask *mask, weir_bytes value, weir_error *err)
{
    weir_status status = add_one(mask, value, err);

    if (status == WEIR_OK && value.size > 0 &&
        (memchr(value.data, '\n', value.size) != NULL || memchr(value.data, '\r', value.size) != NULL))
        status = add_lines(mask, value, err);
    return status;
}

void record_mask_clear(record_mask *mask)
{
    for (size_t i = 0; i < mask->count; i++) {
        sodium_memzero((char *)mask->secrets[i].data, mask->secrets[i].size);
        weir__free((char *)mask->secrets[i].data);
    }
    weir__free(mask->secrets);
    *mask = (record_mask){ 0 };
}

/* The longest secret that begins at the front of `text`; 0: none. */
static size_t match(const record_mask *mask, weir_bytes text)
{
    for (size_t i = 0; i < mask->count; i++)
        if (mask->secrets[i].size <= text.size &&
            memcmp(mask->secrets[i].data, text.data, mask->secrets[i].size) == 0)
            return mask->secrets[i].size;
    return 0;
}

weir_status record_mask_text(const record_mask *mask, weir_bytes text, weir_buf *out, weir_error *err)
{
    size_t kept = 0;
    size_t at = 0;
    bool fine = true;

    while (at < text.size && fine) {
        size_t size = match(mask, (weir_bytes){ text.data + at, text.size - at });

        if (size == 0) {
            at++;
            continue;
        }
        fine = weir__buf_put(out, text.data + kept, at - kept) && weir__buf_put_text(out, RECORD_MASK_TEXT);
        at += size;
        kept = at;
    }
    fine = fine && (at == kept || weir__buf_put(out, text.data + kept, at - kept));
    return fine ? WEIR_OK : weir__error_memory(err, "masking a text");
}

static record_answer ask(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    const weir_codec_message *m = place->message;
    bool text = m == &weir__v2_warning || m == &weir__v2_task || m == &weir__v2_test_response;

    if (!text || place->field->message != NULL)
        return RECORD_KEEP;
    return record_mask_text(context, place->value, out, err) == WEIR_OK ? RECORD_REPLACE : RECORD_FAILED;
}

weir_status record_mask_reply(const record_mask *mask, const record_method *method, weir_bytes reply,
                              weir_buf *out, weir_error *err)
{
    record_rewriter rewriter = { .ask = ask, .context = (void *)mask };

    return record_rewrite(&rewriter, method->reply, reply, out, err);
}

bool record_mask_concerns(weir_bytes update_response)
{
    uint8_t number = update_response.size > 0 ? (uint8_t)update_response.data[0] >> 3 : 0;

    return number == V2_UPDATE_RESPONSE_WARNING || number == V2_UPDATE_RESPONSE_TASK;
}
