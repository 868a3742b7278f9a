/*
 * tests/sim: bounds that a script of a few hundred rows would never reach are drawn anew for every sync,
 * small ones often: the window, the inbox, the steps that wait, the size of the spool, how long
 * checkpoints gather. Whatever they are, the rows must be the same.
 */
#include "base/limits.h"
#include "base/queue.h"
#include "engine/ingest.h"
#include "engine/spool.h"
#include "sim.h"

#define STEPS_WAITING 4096 /* what the spool asks for */

weir_queue *__real_weir__queue_new(size_t weight_max);
weir_queue *__wrap_weir__queue_new(size_t weight_max);
ingest *__real_ingest_new(const ingest_options *options);
ingest *__wrap_ingest_new(const ingest_options *options);
weir_status __real_spool_open(const spool_options *options, fold_window *second, spool **out,
                              weir_error *err);
weir_status __wrap_spool_open(const spool_options *options, fold_window *second, spool **out,
                              weir_error *err);

weir_queue *__wrap_weir__queue_new(size_t weight_max)
{
    sim_dice *dice = sim_limit_dice();

    if (weight_max == WEIR_INBOX_SIZE)
        weight_max = 64 + sim_below(dice, 4096);
    else if (weight_max == STEPS_WAITING)
        weight_max = 2 + sim_below(dice, 30);
    return __real_weir__queue_new(weight_max);
}

/* Half of the engines think that they are behind whenever a window is full: passing over is always right. */
static bool always_behind(void *context)
{
    (void)context;
    return true;
}

ingest *__wrap_ingest_new(const ingest_options *options)
{
    static ingest_port port; /* one engine runs at a time */
    sim_dice *dice = sim_limit_dice();
    ingest_options small = *options;

    small.fold.row_count_max = 1U << (1 + sim_below(dice, 9));
    small.fold.key_count_max = 1 + sim_below(dice, 64);
    small.fold.window_size = (size_t)64 << sim_below(dice, 12);
    small.group_time_ms = sim_below(dice, 2) == 0 ? 0 : (int64_t)sim_below(dice, 3000);
    small.group_size_min = (size_t)64 << sim_below(dice, 12);
    port = *options->port;
    if (sim_below(dice, 2) == 0)
        port.behind = always_behind;
    small.port = &port;
    small.group_long_ms = (int64_t)sim_below(dice, 3000);
    small.group_size_long = (size_t)64 << sim_below(dice, 12);
    small.spool_size_max = (uint64_t)64 << sim_below(dice, 16);
    return __real_ingest_new(&small);
}

weir_status __wrap_spool_open(const spool_options *options, fold_window *second, spool **out, weir_error *err)
{
    spool_options small = *options;

    small.size_max = (uint64_t)64 << sim_below(sim_limit_dice(), 16);
    return __real_spool_open(&small, second, out, err);
}
