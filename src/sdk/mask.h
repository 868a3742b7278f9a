/*
 * sdk/mask: keeps the values of password and upload fields out of everything a connector says (R-RPC-09).
 *
 * Each running call registers its secrets; whatever any thread logs or answers is searched for the secrets of
 * all running calls, because a connector's helper thread logs without a call. One lock, inside this module.
 * Any thread.
 */
#ifndef WEIR_SDK_MASK_H
#define WEIR_SDK_MASK_H

#include <weir/base.h>

/* What stands in place of a secret. */
#define WEIR_MASK_TEXT "***"

/* The secrets of one call; the struct is the caller's and stays where it is while it is registered. */
typedef struct weir_mask {
    struct weir_mask *next;
    struct weir_mask *previous;
    const weir_bytes *secrets;
    size_t count;
} weir_mask;

/* Registers `count` secrets, borrowed until removed. Empty ones are left out of account. */
void weir__mask_add(weir_mask *mask, const weir_bytes *secrets, size_t count);
void weir__mask_remove(weir_mask *mask); /* accepts one that was never added (all zero) */
/*
 * Copies `text` to `out`, each occurrence of a registered secret replaced; the longest secret wins where
 * several begin. `cut` says that the text goes on but was cut here: then the beginning of a secret at its end
 * is replaced, too. Writes at most `size_max` bytes, cut on a character boundary; returns how many.
 */
size_t weir__mask_text(weir_bytes text, bool cut, char *out, size_t size_max);

#endif
