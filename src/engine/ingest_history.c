/*
 * engine/ingest_history: when versions begin (R-ENG-10); see history.h.
 *
 * Bases lie above everything that has been committed, and above the synced clock, for a table that comes from
 * soft delete mode begins its versions at their synced times.
 */
#include <string.h>

#include "base/limits.h"
#include "engine/ingest_internal.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* How far an open interval has been committed; what fold_keep_interval gives comes after it. */
typedef struct kept_interval {
    int64_t first_ms; /* the interval's first base: what is kept of another one counts for nothing */
    uint64_t seed;
    uint64_t total;
    uint64_t part_begun;
    int64_t last_ms;
    int64_t base_ms;
    uint32_t part;
    uint32_t begun;
} kept_interval;

bool ingest_history_init(ingest *in)
{
    const engine_history *stored = in->options.history;
    weir_bytes from = in->options.interval;
    kept_interval kept;

    in->seed = in->options.seed;
    if (in->options.history_part_records == 0)
        in->options.history_part_records = WEIR_HISTORY_PART_RECORDS;
    if (stored == NULL)
        return true;
    in->stored = stored;
    in->history.last_ms = stored->last_ms;
    in->history.again = stored->part_count > 0;
    if (!in->history.again || from.size < sizeof kept)
        return true;
    memcpy(&kept, from.data, sizeof kept);
    if (kept.first_ms != stored->bases_ms[0])
        return true;
    in->seed = kept.seed;
    in->history.total = kept.total;
    in->history.total_saved = kept.total;
    in->history.part_begun = kept.part_begun;
    in->history.last_ms = kept.last_ms;
    in->history.base_ms = kept.base_ms;
    in->history.part = kept.part;
    in->history.begun = kept.begun != 0;
    return fold_resume_interval(in->rows, (weir_bytes){ from.data + sizeof kept, from.size - sizeof kept });
}

weir_status ingest_history_keep(ingest *in, weir_bytes *out, weir_error *err)
{
    const ingest_history *h = &in->history;
    kept_interval kept = { .first_ms = in->stored->bases_ms[0],
                           .seed = in->seed,
                           .total = h->total_saved,
                           .part_begun = h->part_begun,
                           .last_ms = h->last_ms,
                           .base_ms = h->base_ms,
                           .part = h->part,
                           .begun = h->begun };

    in->interval.size = 0;
    if (!weir__buf_put(&in->interval, &kept, sizeof kept) || !fold_keep_interval(in->rows, &in->interval))
        return weir__error_memory(err, "keeping the keys of histories");
    *out = weir__buf_bytes(&in->interval);
    return WEIR_OK;
}

/* The base of the part that is about to begin. */
static int64_t new_base(ingest *in)
{
    int64_t wall_ms = in->port->wall_ms(in->port->context);
    int64_t least_ms = in->history.last_ms + 1;

    if (in->history.again && in->history.part < in->stored->part_count)
        return in->history.part == 0 ? in->stored->bases_ms[0]
                                     : larger(in->stored->bases_ms[in->history.part], least_ms);
    least_ms = larger(least_ms, in->options.clock->last_ms + 1);
    return larger(least_ms, wall_ms);
}

void ingest_history_request(ingest *in, engine_request *request)
{
    ingest_history *h = &in->history;

    request->history = request->table->history;
    if (!request->history)
        return;
    if (!h->begun) {
        h->base_ms = new_base(in);
        h->begun = true;
    }
    request->part = h->part;
    request->start_ms = h->base_ms;
    request->records = h->total;
}

/* No time handed out so far is later: a delete ends a version before the next one would begin. */
static void settle_last(ingest *in)
{
    if (in->history.begun)
        in->history.last_ms = larger(in->history.last_ms, in->history.base_ms + fold_number_max(in->rows));
    in->history.begun = false;
}

void ingest_history_next(ingest *in, uint64_t left)
{
    settle_last(in);
    in->history.again = false;
    in->history.part = 0;
    in->history.part_begun = 0;
    in->history.total = left;
}

void ingest_history_count(ingest *in, engine_request *request)
{
    if (request->history)
        request->records = ++in->history.total;
}

/*
 * The first attempt may have taken several checkpoints into one commit. If this one ended the interval
 * earlier, what the first has left of a key that comes later would lie below that key's new base.
 */
bool ingest_history_behind(const ingest *in)
{
    return in->history.again && in->history.total_saved < in->stored->records;
}

weir_status ingest_history_part(ingest *in, weir_error *err)
{
    ingest_history *h = &in->history;
    weir_status status = ingest_seal_all(in, err);

    if (!h->begun || h->part + 1 == WEIR_HISTORY_PARTS_MAX)
        return status;
    settle_last(in);
    fold_interval(in->rows);
    h->part++;
    h->part_begun = h->total;
    return status;
}

weir_status ingest_history_record(ingest *in, weir_error *err)
{
    ingest_history *h = &in->history;
    uint64_t most = in->options.history_part_records;
    weir_status status = WEIR_OK;

    if (in->passed)
        status = ingest_catch_up(in, err);
    if (status == WEIR_OK && h->total - h->part_begun >= most && h->part + 1 < WEIR_HISTORY_PARTS_MAX) {
        status = ingest_settle(in, err);
        if (status == WEIR_OK && h->total - h->part_begun >= most)
            status = ingest_history_part(in, err);
    }
    return status;
}

/*
 * R-HIS-06: the protocol ends versions by their keys alone. Truncate marks rows in a column that histories
 * lack, and no migration changes some rows only. Ending the versions of all keys without their end would make
 * each key overlap with its next version, so nothing is done: a row that comes again gets its new version,
 * and one that does not stays active until the source deletes it.
 */
weir_status ingest_history_truncate(ingest *in, engine_table *table, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    const char *text;

    if (table->truncated)
        return WEIR_OK;
    table->truncated = true;
    text = weir__arena_printf(
        catalog_arena(in->options.tables),
        "table '%s' is in history mode, where a truncate ends no versions: rows that the "
        "source no longer has stay active until it deletes them one by one",
        engine_table_path(table, path));
    if (text == NULL)
        return weir__error_memory(err, "truncating a table");
    in->port->warn(in->port->context, weir__text(text));
    return WEIR_OK;
}
