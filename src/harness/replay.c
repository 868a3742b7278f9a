/*
 * harness/replay: the same tables after a crash at any point (R-ENG-03).
 *
 *   undisturbed run ─▶ tables A
 *   for every position: the same start, crash there, resume until done ─▶ tables B;  A = B?
 *
 * A crash between two rows matters for what the source has done by then, a crash at a checkpoint for what is
 * resumed from; so both are positions.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "harness/golden.h"
#include "harness/render.h"
#include "harness/source_side.h"

#define RUNS_MAX 1000 /* resumed updates after one crash */
#define SAMPLE_SEED UINT64_C(0x9E3779B97F4A7C15)

/* All tables as one text. */
static void render_all(weir_harness *h, weir_buf *out)
{
    const weir_model *model = weir__landing_model(h->source->landing);
    const weir_model_table *table;

    out->size = 0;
    for (size_t i = 0; (table = weir__model_at(model, i)) != NULL; i++) {
        const weir_table *columns = weir__model_columns(table);

        weir__render_format(out, "%s.%s ", columns->schema ? columns->schema : "", columns->name);
        weir__render_rows(out, table, weir__source_shows, h);
    }
}

/* Updates until the one that ends well; what was broken off is resumed. */
static bool finish(weir_harness *h, bool fresh)
{
    weir_status status = WEIR_CANCELLED;

    for (unsigned i = 0; i < RUNS_MAX && status == WEIR_CANCELLED; i++) {
        status = weir__source_update(h, fresh && i == 0);
        if (status == WEIR_CANCELLED && !h->last.expected)
            break;
    }
    return status == WEIR_OK;
}

/* Where to crash: at a row, or at a checkpoint. */
typedef struct position {
    uint64_t rows;
    uint64_t checkpoints;
} position;

static bool differs(weir_harness *h, const weir_buf *undisturbed, position at)
{
    weir_buf tables;
    weir_buf diff;
    bool same;

    weir__buf_init(&tables, WEIR_HARNESS_TEXT_MAX);
    weir__buf_init(&diff, WEIR_HARNESS_TEXT_MAX);
    render_all(h, &tables);
    same = tables.size == undisturbed->size && memcmp(tables.data, undisturbed->data, tables.size) == 0;
    if (!same) {
        weir__golden_diff(weir__buf_bytes(undisturbed), weir__buf_bytes(&tables), &diff);
        weir__fail_here(
            "after a crash at %s %" PRIu64 " and a resumed update the tables differ from those of "
            "an undisturbed one (-) (R-ENG-03):%.*s",
            at.rows ? "row" : "checkpoint", at.rows ? at.rows : at.checkpoints, (int)diff.size, diff.data);
    }
    weir__buf_clear(&tables);
    weir__buf_clear(&diff);
    return !same;
}

/* Crashes there, resumes, compares. The harness's landing is replaced by one that starts as `start`. */
static bool survives(weir_harness *h, const weir_landing *start, const weir_buf *undisturbed, position at)
{
    weir_status status;

    weir__landing_free(h->source->landing);
    h->source->landing = weir__landing_copy(start);
    h->trigger = (weir_trigger){ .rows = at.rows, .checkpoints = at.checkpoints, .crash = true };
    status = weir__source_update(h, true);
    if (status == WEIR_CANCELLED && h->last.expected)
        status = finish(h, false) ? WEIR_OK : h->last.status;
    if (status != WEIR_OK) {
        h->last.expected = true;
        weir__fail_here("after a crash at %s %" PRIu64 " the update does not come to its end (R-ENG-03): %s",
                        at.rows ? "row" : "checkpoint", at.rows ? at.rows : at.checkpoints,
                        weir_harness_text(h));
        return false;
    }
    return !differs(h, undisturbed, at);
}

/*
 * Position number `index` of `taken`, spread over `count`: the first and the last, and between them at even
 * steps, shifted a little so that a period of the source does not hide behind ours.
 */
static uint64_t spread(size_t index, size_t taken, uint64_t count)
{
    uint64_t step;

    if (taken >= count || index == 0)
        return index + 1;
    if (index + 1 == taken)
        return count;
    step = count / taken;
    return 1 + index * (count - 1) / (taken - 1) - (SAMPLE_SEED * index >> 33) % (step / 2 + 1);
}

static bool crash_everywhere(weir_harness *h, const weir_landing *start, const weir_buf *undisturbed,
                             uint64_t rows, uint64_t checkpoints)
{
    size_t budget = h->source->positions_max;
    size_t at_checkpoints = checkpoints < budget / 2 ? (size_t)checkpoints : budget / 2;
    size_t at_rows = rows < budget - at_checkpoints ? (size_t)rows : budget - at_checkpoints;
    bool all = true;

    for (size_t i = 0; i < at_checkpoints && all; i++)
        all = survives(h, start, undisturbed,
                       (position){ .checkpoints = spread(i, at_checkpoints, checkpoints) });
    for (size_t i = 0; i < at_rows && all; i++)
        all = survives(h, start, undisturbed, (position){ .rows = spread(i, at_rows, rows) });
    return all;
}

void weir_harness_positions_max(weir_harness *h, size_t positions_max)
{
    if (h->source != NULL)
        h->source->positions_max = positions_max > 4 ? positions_max : 4;
}

bool weir_harness_expect_same_after_any_crash(weir_harness *h)
{
    return weir__source_any_crash(h, true);
}

bool weir__source_any_crash(weir_harness *h, bool rows_wanted)
{
    weir_source_side *side = h->source;
    weir_harness_seen seen;
    weir_landing *start;
    weir_landing *end;
    weir_buf undisturbed;
    uint64_t rows;
    bool fine = false;

    if (side == NULL) {
        weir__fail_here("weir_harness_expect_same_after_any_crash is for sources");
        return false;
    }
    if (weir__source_schema_known(h) != WEIR_OK)
        return false;
    weir__buf_init(&undisturbed, WEIR_HARNESS_TEXT_MAX);
    start = weir__landing_copy(side->landing);
    h->trigger = (weir_trigger){ 0 };
    if (!finish(h, true))
        goto out; /* the outcome tells, and nobody has looked at it */
    seen = *weir__landing_seen(side->landing);
    render_all(h, &undisturbed);
    end = weir__landing_copy(side->landing);
    rows = seen.upserts + seen.updates + seen.deletes + seen.truncates;
    fine = crash_everywhere(h, start, &undisturbed, rows, seen.checkpoints);
    if (rows == 0 && rows_wanted) {
        weir__fail_here(
            "the undisturbed update brings no rows, so there is nothing to crash in: begin with a "
            "fresh harness, or an earlier state");
        fine = false;
    }
    weir__landing_free(side->landing);
    side->landing = end;
    side->resumed = true;
out:
    weir__landing_free(start);
    weir__buf_clear(&undisturbed);
    return fine;
}
