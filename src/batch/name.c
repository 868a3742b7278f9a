/* batch/name: random names, keys and markers, and the way from a path to its key. */
#include "batch/name.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "data/base64.h"

#define NAME_RANDOM 15   /* bytes in a file name */
#define MARKER_RANDOM 20 /* bytes in a marker */

const char *weir__batch_kind_name(weir_batch_kind kind)
{
    static const char *const names[] = { "replace", "update", "delete", "earliest" };

    return names[kind];
}

weir_status weir__batch_secret_make(const weir_entropy *entropy, weir_batch_secret *out, weir_error *err)
{
    weir_batch_secret made;
    weir_status status = entropy->fill(entropy->context, &made, sizeof made, err);

    if (status != WEIR_OK)
        return status;
    *out = made;
    return WEIR_OK;
}

weir_status weir__batch_markers_make(const weir_entropy *entropy, weir_batch_markers *out, weir_error *err)
{
    unsigned char random[2 * MARKER_RANDOM];
    char text[2][MARKER_RANDOM * 2];
    weir_status status = entropy->fill(entropy->context, random, sizeof random, err);
    int size;

    if (status != WEIR_OK)
        return status;
    size = (int)weir__base64url_encode(random, MARKER_RANDOM, text[0]);
    weir__base64url_encode(random + MARKER_RANDOM, MARKER_RANDOM, text[1]);
    snprintf(out->null_string, sizeof out->null_string, "null-%.*s", size, text[0]);
    snprintf(out->unmodified_string, sizeof out->unmodified_string, "unmod-%.*s", size, text[1]);
    return WEIR_OK;
}

weir_status weir__batch_name_make(const weir_entropy *entropy, weir_batch_label label,
                                  char out[WEIR_BATCH_NAME_SIZE], weir_error *err)
{
    static const char *const kinds[] = { "upsert", "update", "delete", "earliest" };
    static const char *const compressions[] = { "", ".zstd", ".gz" };
    unsigned char random[NAME_RANDOM];
    char hex[2 * NAME_RANDOM + 1];
    weir_status status = entropy->fill(entropy->context, random, sizeof random, err);

    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(hex + 2 * i, 3, "%02x", random[i]);
    snprintf(out, WEIR_BATCH_NAME_SIZE, "%s_%s%s%s%s", hex, kinds[label.kind],
             label.format == WEIR_BATCH_PARQUET ? ".parquet" : ".csv", compressions[label.compression],
             label.encryption == WEIR_ENCRYPTION_AES ? ".aes" : "");
    return WEIR_OK;
}

static bool take_ending(weir_bytes *name, const char *ending)
{
    size_t size = strlen(ending);

    if (name->size < size || memcmp(name->data + name->size - size, ending, size) != 0)
        return false;
    name->size -= size;
    return true;
}

weir_batch_format weir__batch_name_format(weir_bytes path)
{
    while (take_ending(&path, ".aes") || take_ending(&path, ".zstd") || take_ending(&path, ".gz"))
        ;
    return take_ending(&path, ".parquet") ? WEIR_BATCH_PARQUET : WEIR_BATCH_CSV;
}

weir_status weir__batch_key_find(const weir_batch_keys *keys, weir_bytes path, const unsigned char **key,
                                 weir_error *err)
{
    if (keys->encryption == WEIR_ENCRYPTION_NONE) {
        *key = NULL;
        return WEIR_OK;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (!weir__bytes_equal(keys->keys[i].path, path))
            continue;
        if (keys->keys[i].key.size != WEIR_BATCH_KEY_SIZE)
            return weir__error(err, "read batch file '%.*s': its key has %zu bytes instead of %zu",
                               (int)path.size, path.data, keys->keys[i].key.size, WEIR_BATCH_KEY_SIZE);
        *key = (const unsigned char *)keys->keys[i].key.data;
        return WEIR_OK;
    }
    return weir__error(err, "read batch file '%.*s': the request is encrypted and has no key under this path",
                       (int)path.size, path.data);
}
