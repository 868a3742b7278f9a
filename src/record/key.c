/* record/key: loading and making key files; see key.h. */
#include "record/key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define TEXT_SIZE (2 * RECORD_KEY_SIZE)

weir_status record_key_path(const char *recording, const char *given, char out[RECORD_KEY_PATH_SIZE],
                            weir_error *err)
{
    int length = snprintf(out, RECORD_KEY_PATH_SIZE, "%s%s", given ? given : recording, given ? "" : ".key");

    if (length < 0 || length >= RECORD_KEY_PATH_SIZE)
        return weir__error(err, "the path of the key is too long");
    return WEIR_OK;
}

static weir_status parse(const char *path, const char *text, size_t size, unsigned char *out, weir_error *err)
{
    unsigned char key[RECORD_KEY_SIZE];
    size_t got = 0;
    bool fine;

    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    fine = size == TEXT_SIZE && sodium_hex2bin(key, sizeof key, text, size, NULL, &got, NULL) == 0 &&
           got == sizeof key;
    if (fine)
        memcpy(out, key, sizeof key);
    sodium_memzero(key, sizeof key);
    return fine ? WEIR_OK : weir__error(err, "'%s' is no key: one has 64 hex digits", path);
}

weir_status record_key_load(const char *path, unsigned char out[RECORD_KEY_SIZE], weir_error *err)
{
    char text[TEXT_SIZE + 8];
    size_t size = 0;
    size_t got = 0;
    bool is_private = false;
    weir_file *file = NULL;
    weir_status status = weir__file_open_named(path, &file, err);

    if (status != WEIR_OK) {
        weir__error_prefix(err, "the key");
        return status;
    }
    status = weir__file_private(file, &is_private, err);
    if (status == WEIR_OK && !is_private)
        status = weir__error(err, "the key '%s' can be read by others: chmod 600 it, or make a new one",
                             path);
    if (status == WEIR_OK)
        do {
            status = weir__file_read(file, text + size, sizeof text - size, &got, err);
            size += status == WEIR_ITEM ? got : 0;
        } while (status == WEIR_ITEM && size < sizeof text);
    if (status >= 0)
        status = parse(path, text, size, out, err);
    sodium_memzero(text, sizeof text);
    weir__file_close(file);
    return status;
}

static weir_status make(const char *path, unsigned char *out, weir_error *err)
{
    unsigned char key[RECORD_KEY_SIZE];
    char text[TEXT_SIZE + 1];
    weir_file *file = NULL;
    weir_status status = weir__entropy_fill(key, sizeof key, err);
    bool created = false;

    if (status == WEIR_OK)
        status = weir__file_create(path, &file, err);
    created = status == WEIR_OK;
    if (created) {
        sodium_bin2hex(text, sizeof text, key, sizeof key);
        text[TEXT_SIZE] = '\n';
        status = weir__file_write(file, text, sizeof text, err);
        if (status == WEIR_OK)
            status = weir__file_sync(file, err);
    }
    if (status == WEIR_OK)
        memcpy(out, key, sizeof key);
    sodium_memzero(key, sizeof key);
    sodium_memzero(text, sizeof text);
    weir__file_close(file);
    if (created && status != WEIR_OK)
        weir__file_drop(path);
    return status;
}

weir_status record_key_take(const char *path, unsigned char out[RECORD_KEY_SIZE], bool *made, weir_error *err)
{
    weir_status status = record_key_load(path, out, err);
    bool missing = status == WEIR_NOT_FOUND;

    if (missing)
        status = make(path, out, err);
    *made = missing && status == WEIR_OK;
    return status;
}
