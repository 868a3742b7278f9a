/* sys/entropy: getrandom, which needs no descriptor and no file in a sandbox. */
#include "sys/entropy.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "sys/clock.h"

weir_status weir__entropy_fill(void *out, size_t size, weir_error *err)
{
    char *at = out;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return weir__error(err, "cannot draw %zu random bytes from the kernel: %s", size,
                               strerror(errno));
        at += got;
        size -= (size_t)got;
    }
    return WEIR_OK;
}

uint64_t weir__entropy_seed(void)
{
    uint64_t seed;

    if (weir__entropy_fill(&seed, sizeof seed, NULL) != WEIR_OK)
        seed = (uint64_t)weir__clock_ns();
    return seed;
}
