/*
 * tests/sim: the destination's store as it is read back after a sync (engine/readback.h): the model's rows as
 * texts. A process may be killed at any row.
 */
#include <stdlib.h>
#include <string.h>

#include "data/text.h"
#include "data/type.h"
#include "model/model.h"
#include "sim.h"

#define COLUMNS_MAX 64

static struct {
    const weir_model_table *table;
    size_t next;
    const char *names[COLUMNS_MAX];
    weir_seen_cell cells[COLUMNS_MAX];
    char texts[COLUMNS_MAX][WEIR_TEXT_FIXED_MAX];
} shown;

static weir_status begin(void *context, const weir_table *expected, const char *const **columns,
                         size_t *count, weir_error *err)
{
    const weir_table *known;

    (void)context;
    (void)err;
    sim_step();
    shown.table = weir__model_find(sim_store_model(), expected->schema, expected->name);
    shown.next = 0;
    if (shown.table == NULL)
        return WEIR_NOT_FOUND;
    known = weir__model_columns(shown.table);
    if (known->column_count > COLUMNS_MAX)
        abort();
    for (size_t i = 0; i < known->column_count; i++)
        shown.names[i] = known->columns[i].name;
    *columns = shown.names;
    *count = known->column_count;
    return WEIR_OK;
}

static weir_seen_cell show(const weir_cell *cell, char room[WEIR_TEXT_FIXED_MAX])
{
    if (cell->presence != WEIR_VALUE)
        return (weir_seen_cell){ .null = true };
    if (cell->type == WEIR_BINARY)
        return (weir_seen_cell){ .text = cell->as.bytes, .kind = WEIR_SEEN_BYTES };
    if (weir__type_is_bytes(cell->type))
        return (weir_seen_cell){ .text = cell->as.bytes };
    return (weir_seen_cell){ .text = { room, weir__text_format(cell, room) } };
}

static weir_status next(void *context, const weir_seen_cell **cells, weir_error *err)
{
    weir_row row;

    (void)context;
    (void)err;
    sim_step();
    if (shown.next == weir__model_row_count(shown.table))
        return WEIR_OK;
    row = weir__model_row(shown.table, shown.next++);
    for (size_t i = 0; i < row.count; i++)
        shown.cells[i] = show(&row.cells[i], shown.texts[i]);
    *cells = shown.cells;
    return WEIR_ITEM;
}

static void end(void *context)
{
    (void)context;
}

const readback_store sim_shown = { .begin = begin, .next = next, .end = end, .time_digits = 9 };
