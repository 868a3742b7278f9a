/* sys/clock: the only place that asks what time it is. Any thread. */
#ifndef WEIR_SYS_CLOCK_H
#define WEIR_SYS_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC: for deadlines and measurements, comparable within one boot. */
int64_t weir__clock_ns(void);
/* Milliseconds since 1970-01-01 UTC: for what people and tables see. May jump. */
int64_t weir__clock_wall_ms(void);
/* Nanoseconds since 1970-01-01 UTC. May jump. */
int64_t weir__clock_wall_ns(void);
/* Waits that long, signals notwithstanding. */
void weir__clock_sleep(int64_t duration_ns);

#endif
