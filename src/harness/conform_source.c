/*
 * harness/conform_source: probes of a source. Each starts from nothing: no state, no tables.
 *
 * What the SDK itself guarantees (batches within limits, nanos, UTF-8, a key in every row) is checked here
 * again on the messages: the probes do not know that the SDK is behind them.
 */
#include <string.h>

#include "base/alloc.h"
#include "data/table.h"
#include "harness/conform.h"
#include "harness/render.h"
#include "harness/source_side.h"

/* All tables as text; owned. */
static char *tables_of(weir_harness *h)
{
    const weir_model *model = weir__landing_model(h->source->landing);
    const weir_model_table *table;
    weir_buf out;
    char *text;

    weir__buf_init(&out, WEIR_HARNESS_TEXT_MAX);
    for (size_t i = 0; (table = weir__model_at(model, i)) != NULL; i++) {
        weir__render_text(&out, weir__model_columns(table)->name);
        weir__render_rows(&out, table, weir__source_shows, h);
    }
    text = weir__test_memory(weir__copy_text(out.data ? out.data : "", out.size));
    weir__buf_clear(&out);
    return text;
}

static bool sync_once(const weir_probe_run *p)
{
    if ((weir_harness_update)(p->h) == WEIR_OK)
        return true;
    p->h->last.expected = true;
    weir__fail_here("%s: the update does not end well: %s", p->rule, weir_harness_text(p->h));
    return false;
}

static void fresh(const weir_probe_run *p)
{
    weir__source_fresh(p->h);
    p->h->source->selecting = false;
}

static void fresh_states(const weir_probe_run *p)
{
    static const char *const states[] = { NULL, "", "{}" };
    char *first = NULL;

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        char *tables;

        fresh(p);
        (weir_harness_set_state)(p->h, states[i]);
        if (!sync_once(p))
            break;
        tables = tables_of(p->h);
        if (first != NULL && strcmp(first, tables) != 0)
            weir__fail_here("%s: the state '%s' gives another first sync than none", p->rule, states[i]);
        if (first == NULL)
            first = tables;
        else
            weir__free(tables);
    }
    weir__free(first);
}

static void any_crash(const weir_probe_run *p)
{
    size_t kept = p->h->source->positions_max;

    fresh(p);
    p->h->source->positions_max = 20;
    (void)weir__source_any_crash(p->h, false);
    p->h->source->positions_max = kept;
}

/* Counts rows and non-null cells of the table's column. */
static size_t values_in(const weir_model_table *table, const char *column)
{
    size_t at = weir__table_find(weir__model_columns(table), (weir_bytes){ column, strlen(column) });
    size_t count = 0;

    for (size_t i = 0; at != SIZE_MAX && i < weir__model_row_count(table); i++)
        count += weir__model_row(table, i).cells[at].presence == WEIR_VALUE;
    return count;
}

static const weir_column *first_plain(const weir_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (!table->columns[i].key)
            return &table->columns[i];
    return NULL;
}

static void deselect(weir_harness *h, const weir_table *table, const char *column)
{
    h->source->choice_count = 0;
    (weir_harness_select)(h, table->schema, table->name, column, false);
}

static void forget_choices(weir_harness *h)
{
    for (size_t i = 0; i < h->source->choice_count; i++) {
        weir__free(h->source->choices[i].schema);
        weir__free(h->source->choices[i].table);
        weir__free(h->source->choices[i].column);
    }
    h->source->choice_count = 0;
    h->source->selecting = false;
}

static void selection(const weir_probe_run *p)
{
    weir_harness *h = p->h;
    const weir_model_table *landed;

    fresh(p);
    if (h->definition.source.selection_not_supported || weir__source_schema_known(h) != WEIR_OK)
        return;
    for (size_t i = 0; i < h->source->table_count && i < 4; i++) {
        const weir_table table = h->source->tables[i];
        const weir_column *column = first_plain(&table);

        if (column != NULL) {
            fresh(p);
            deselect(h, &table, column->name);
            landed = sync_once(p)
                         ? weir__model_find(weir__landing_model(h->source->landing), table.schema, table.name)
                         : NULL;
            if (landed != NULL && values_in(landed, column->name) > 0)
                weir__fail_here("%s: column '%s.%s' was not chosen, but its values are sent", p->rule,
                                table.name, column->name);
            forget_choices(h);
        }
        fresh(p);
        deselect(h, &table, NULL);
        landed = sync_once(p)
                     ? weir__model_find(weir__landing_model(h->source->landing), table.schema, table.name)
                     : NULL;
        if (landed != NULL && weir__model_row_count(landed) > 0)
            weir__fail_here("%s: table '%s' was not chosen, but its rows are sent", p->rule, table.name);
        forget_choices(h);
    }
}

static void truncate_when_fresh(const weir_probe_run *p)
{
    fresh(p);
    if (!sync_once(p) || weir__landing_state(p->h->source->landing) == NULL)
        return;
    if (sync_once(p) && weir__landing_seen(p->h->source->landing)->truncates > 0)
        weir__fail_here("%s: a table is truncated although the state shows progress (R-SRC-09)", p->rule);
}

static void sync_passes(const weir_probe_run *p)
{
    fresh(p);
    (void)sync_once(p);
}

/* What landed has other types than what was declared only when rows brought others. */
static void types_as_declared(const weir_probe_run *p)
{
    weir_source_side *side = p->h->source;

    fresh(p);
    if (!sync_once(p))
        return;
    for (size_t i = 0; i < side->table_count; i++) {
        const weir_table *declared = &side->tables[i];
        const weir_table *landed = weir__model_describe(weir__landing_model(side->landing), declared->schema,
                                                        declared->name);

        for (size_t k = 0; landed != NULL && k < declared->column_count; k++) {
            const weir_column *want = &declared->columns[k];
            size_t at = weir__table_find(landed, (weir_bytes){ want->name, strlen(want->name) });

            if (want->type != WEIR_UNSPECIFIED && at != SIZE_MAX && landed->columns[at].type != want->type)
                weir__fail_here("%s: column '%s.%s' is declared as %s, but its values make it %s", p->rule,
                                declared->name, want->name, weir_type_name(want->type),
                                weir_type_name(landed->columns[at].type));
        }
    }
}

static void null_columns_exist(const weir_probe_run *p)
{
    weir_source_side *side = p->h->source;

    fresh(p);
    if (!sync_once(p))
        return;
    for (size_t i = 0; i < side->table_count; i++) {
        const weir_table *declared = &side->tables[i];
        const weir_table *landed = weir__model_describe(weir__landing_model(side->landing), declared->schema,
                                                        declared->name);

        for (size_t k = 0; k < declared->column_count; k++)
            if (landed == NULL ||
                weir__table_find(landed, (weir_bytes){ declared->columns[k].name,
                                                       strlen(declared->columns[k].name) }) == SIZE_MAX)
                weir__fail_here("%s: column '%s.%s' is declared, but does not land", p->rule, declared->name,
                                declared->columns[k].name);
    }
}

static const weir_conform_probe probes[] = {
    { "R1", "state absent, empty and {} give the same first sync", fresh_states },
    { "R2", "a crash anywhere, then a resumed sync, gives the same tables", any_crash },
    { "R4", "what was not chosen is not sent", selection },
    { "R5", "no truncate once the state shows progress", truncate_when_fresh },
    { "R6", "updates and deletes have keys and apply", sync_passes },
    { "R7", "batches are within the limits", sync_passes },
    { "R8", "values have the declared types", types_as_declared },
    { "R10", "nanoseconds are in range, texts are UTF-8", sync_passes },
    { "R13", "declared columns land, all-NULL ones too", null_columns_exist },
};

bool weir_conform_source(weir_harness *h, const weir_quirks *quirks)
{
    if (h->source == NULL) {
        weir__fail_here("weir_conform_source is for sources; this harness has a destination");
        return false;
    }
    return weir__conform_run(h, quirks, probes, sizeof probes / sizeof *probes);
}
