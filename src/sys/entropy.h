/* sys/entropy: random bytes from the kernel, fit for keys. Any thread. */
#ifndef WEIR_SYS_ENTROPY_H
#define WEIR_SYS_ENTROPY_H

#include "base/error.h"

/* Fills `out`. Fails only when the kernel has no random source; then `out` must not be used. */
weir_status weir__entropy_fill(void *out, size_t size, weir_error *err) WEIR_CHECKED;
/* A seed for hash tables: not secret enough for keys, never fails. */
uint64_t weir__entropy_seed(void);

#endif
