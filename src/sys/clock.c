/* sys/clock: clock_gettime and clock_nanosleep. */
#include "sys/clock.h"

#include <errno.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

int64_t weir__clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t weir__clock_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME) / 1000000;
}

int64_t weir__clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

void weir__clock_sleep(int64_t duration_ns)
{
    int64_t until_ns = weir__clock_ns() + duration_ns;
    struct timespec until = { .tv_sec = (time_t)(until_ns / SECOND_NS), .tv_nsec = until_ns % SECOND_NS };

    if (duration_ns <= 0)
        return;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}
