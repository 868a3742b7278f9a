/*
 * sdk/mask: a list of registered secrets, and a search that looks only where some secret's first byte stands.
 */
#include "sdk/mask.h"

#include <pthread.h>
#include <string.h>

#include "base/utf8.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static weir_mask *first;

void weir__mask_add(weir_mask *mask, const weir_bytes *secrets, size_t count)
{
    *mask = (weir_mask){ 0 };
    if (count == 0)
        return;
    pthread_mutex_lock(&lock);
    *mask = (weir_mask){ .next = first, .secrets = secrets, .count = count };
    if (first != NULL)
        first->previous = mask;
    first = mask;
    pthread_mutex_unlock(&lock);
}

void weir__mask_remove(weir_mask *mask)
{
    if (mask->secrets == NULL && mask->count == 0 && mask->next == NULL && mask->previous == NULL)
        return;
    pthread_mutex_lock(&lock);
    if (mask->previous != NULL)
        mask->previous->next = mask->next;
    else if (first == mask)
        first = mask->next;
    if (mask->next != NULL)
        mask->next->previous = mask->previous;
    pthread_mutex_unlock(&lock);
    *mask = (weir_mask){ 0 };
}

/* Marks the bytes that secrets begin with; false when there are none. */
static bool first_bytes(bool table[256])
{
    bool any = false;

    memset(table, 0, 256 * sizeof *table);
    for (const weir_mask *mask = first; mask != NULL; mask = mask->next)
        for (size_t i = 0; i < mask->count; i++)
            if (mask->secrets[i].size > 0) {
                table[(unsigned char)mask->secrets[i].data[0]] = true;
                any = true;
            }
    return any;
}

/* Bytes of the longest secret that begins at `text`; at a cut end its beginning counts as all of it. */
static size_t secret_at(weir_bytes text, bool cut)
{
    size_t longest = 0;

    for (const weir_mask *mask = first; mask != NULL; mask = mask->next) {
        for (size_t i = 0; i < mask->count; i++) {
            weir_bytes secret = mask->secrets[i];
            size_t size = secret.size;

            if (cut && size > text.size)
                size = text.size;
            if (size > longest && size <= text.size && memcmp(secret.data, text.data, size) == 0)
                longest = size;
        }
    }
    return longest;
}

size_t weir__mask_text(weir_bytes text, bool cut, char *out, size_t size_max)
{
    bool begins[256];
    size_t written = 0;
    size_t at = 0;
    bool any;

    pthread_mutex_lock(&lock);
    any = first_bytes(begins);
    while (at < text.size && written < size_max) {
        weir_bytes rest = { text.data + at, text.size - at };
        size_t secret = any && begins[(unsigned char)rest.data[0]] ? secret_at(rest, cut) : 0;

        if (secret == 0) {
            out[written++] = text.data[at++];
        } else if (size_max - written < sizeof WEIR_MASK_TEXT - 1) {
            break;
        } else {
            memcpy(out + written, WEIR_MASK_TEXT, sizeof WEIR_MASK_TEXT - 1);
            written += sizeof WEIR_MASK_TEXT - 1;
            at += secret;
        }
    }
    pthread_mutex_unlock(&lock);
    return at < text.size ? weir__utf8_cut(out, written, written) : written;
}
