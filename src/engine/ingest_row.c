/*
 * engine/ingest_row: one record becomes one row of text with the hash of its key.
 *
 * First every cell finds its column and the column is made wide enough (this may change the table, and then
 * the rows before have to go); then the cells are laid out in the table's order; then they are formatted.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "batch/csv.h"
#include "data/convert.h"
#include "data/table.h"
#include "data/text.h"
#include "engine/ingest_internal.h"

static_assert(ROUTE_UNKNOWN == 0 && ROUTE_SKIPPED > WEIR_COLUMN_COUNT_MAX, "minus one, both are no column");

static const char *const op_names[] = { "UPSERT", "UPDATE", "DELETE", "TRUNCATE" };

/* --- routes --- */

static weir_status meet_table(ingest *in, const weir_record *record, route *entry, weir_error *err)
{
    bool wanted = false;
    weir_status status = ingest_select_table(in, record->schema_name, record->table_name, &wanted, err);

    entry->unwanted = !wanted;
    if (status != WEIR_OK || !wanted)
        return status;
    entry->table = catalog_get(in->options.tables, record->schema_name, record->table_name, err);
    return entry->table ? WEIR_OK : err->status;
}

static weir_status route_table(ingest *in, const weir_record *record, route **out, weir_error *err)
{
    route *entry;

    if (record->table >= in->route_count) {
        size_t wanted = in->route_count ? in->route_count * 2 : 16;
        route *grown;

        while (wanted <= record->table)
            wanted *= 2;
        grown = weir__realloc_array(in->routes, wanted, sizeof *grown);
        if (grown == NULL)
            return weir__error_memory(err, "meeting a table");
        memset(grown + in->route_count, 0, (wanted - in->route_count) * sizeof *grown);
        in->routes = grown;
        in->route_count = wanted;
    }
    entry = &in->routes[record->table];
    if (entry->table == NULL && !entry->unwanted) {
        weir_status status = meet_table(in, record, entry, err);

        if (status != WEIR_OK)
            return status;
    }
    if (record->slot_count > entry->slot_count) {
        size_t wanted = record->slot_count * 2;
        uint32_t *grown = weir__realloc_array(entry->columns, wanted, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "meeting a column");
        memset(grown + entry->slot_count, 0, (wanted - entry->slot_count) * sizeof *grown);
        entry->columns = grown;
        entry->slot_count = wanted;
    }
    *out = entry;
    return WEIR_OK;
}

/* --- types --- */

static weir_cell as_cell(const weir_record_cell *from)
{
    weir_cell cell = { .column = from->name.data, .type = from->type, .presence = from->presence };

    switch (from->type) {
    case WEIR_BOOLEAN:
        cell.as.boolean = from->as.boolean;
        break;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        cell.as.integer = from->as.integer;
        break;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        cell.as.real = from->as.real;
        break;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        cell.as.time = from->as.time;
        break;
    default:
        cell.as.bytes = from->as.bytes;
        break;
    }
    return cell;
}

/* The shape with this value in it. */
static weir_shape observe(const weir_shape *shape, const weir_cell *cell)
{
    weir_shape wider = *shape;
    char text[WEIR_TEXT_FIXED_MAX];
    weir_bytes bytes = { text, 0 };

    if (weir__type_is_bytes(cell->type)) {
        bytes = cell->as.bytes;
    } else {
        bytes.size = weir__text_format(cell, text);
        if (bytes.size == WEIR_TEXT_NONE)
            bytes.size = 0; /* formatting the row will say what is wrong */
    }
    weir__shape_observe(&wider, cell, bytes);
    return wider;
}

/*
 * True when a number in plain digits needs no more of them than were seen before: the common case, decided in
 * one look. False says nothing.
 */
static bool few_digits(weir_bytes text, uint32_t whole_max, uint32_t fraction_max)
{
    size_t at = text.size > 0 && text.data[0] == '-';
    size_t whole = 0;
    size_t fraction = 0;

    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        whole++;
    if (at < text.size && text.data[at] == '.')
        for (at++; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
            fraction++;
    return at == text.size && whole > 0 && whole <= whole_max && fraction <= fraction_max;
}

/* A value whose type is not the column's, or whose digits count: widens the column where it must. */
static weir_status fit_value(ingest *in, engine_table *table, size_t at, const weir_cell *cell,
                             weir_error *err)
{
    engine_column *column = &table->columns[at];
    weir_shape wider;
    weir_type type;
    weir_status status;

    if (cell->type == column->type &&
        few_digits(cell->as.bytes, column->shape.whole_digits, column->shape.fraction_digits))
        return WEIR_OK; /* only a DECIMAL comes here with the column's own type */
    wider = observe(&column->shape, cell);
    type = weir__shape_type(&wider);
    if (type != column->type) {
        bool retype = column->key || weir__convert_changes_text(column->type, type);

        status = ingest_before_change(in, table, retype, err);
        if (status != WEIR_OK)
            return status;
        column->type = type;
        table->version++;
    }
    column->shape = wider;
    return WEIR_OK;
}

/* A column that the table does not have: added with the type of its first value (R-SRC-08). */
static weir_status add_column(ingest *in, engine_table *table, const char *name, const weir_cell *cell,
                              weir_error *err)
{
    const weir_column *held = weir__map_get(&table->untyped, weir__text(name));
    weir_shape nothing = { 0 };
    engine_column column = { .name = name, .key = held != NULL && held->key };
    weir_status status = ingest_before_change(in, table, false, err);

    if (status != WEIR_OK)
        return status;
    column.shape = observe(&nothing, cell);
    column.type = weir__shape_type(&column.shape);
    if (column.key)
        table->key_untyped--;
    return engine_table_add(in->options.tables, table, &column, err);
}

/* Finds or makes the column of a cell that has no place yet. */
static weir_status find_place(ingest *in, route *to, const weir_record_cell *from, uint32_t *place,
                              weir_error *err)
{
    engine_table *table = to->table;
    weir_cell cell = as_cell(from);
    const char *name = NULL;
    weir_status status = ingest_select_column(in, table, from->name, false, &name, err);
    size_t at;

    if (status != WEIR_OK)
        return status;
    if (name == NULL) {
        *place = ROUTE_SKIPPED;
        return WEIR_OK;
    }
    at = engine_table_find(table, weir__text(name));
    if (at == SIZE_MAX && from->presence != WEIR_VALUE) {
        *place = ROUTE_PENDING; /* a NULL says nothing about the type; ask again with the next value */
        return WEIR_OK;
    }
    if (at == SIZE_MAX) {
        status = add_column(in, table, name, &cell, err);
        if (status != WEIR_OK)
            return status;
        at = table->column_count - 1;
    }
    *place = ((uint32_t)at + 1) | (table->columns[at].hashed ? ROUTE_HASHED : 0);
    return WEIR_OK;
}

/* Finds or makes the column of a cell and sees that its value fits. */
static weir_status place_cell(ingest *in, route *to, const weir_record_cell *from, weir_error *err)
{
    engine_table *table = to->table;
    uint32_t *place = &to->columns[from->slot];
    weir_cell cell = as_cell(from);
    size_t at;

    if (*place == ROUTE_UNKNOWN || (*place == ROUTE_PENDING && from->presence == WEIR_VALUE)) {
        weir_status status = find_place(in, to, from, place, err);

        if (status != WEIR_OK)
            return status;
    }
    if ((*place & ROUTE_HASHED) != 0 || from->presence != WEIR_VALUE)
        return WEIR_OK; /* skipped and pending ones have that bit, too; a hash fits */
    at = *place - 1;
    if (from->type == table->columns[at].type && from->type != WEIR_DECIMAL)
        return WEIR_OK;
    return fit_value(in, table, at, &cell, err);
}

/* True when a cell needs no place_cell: its column is known, and takes any value of the cell's type. */
static inline bool is_placed(const route *to, const weir_record_cell *from)
{
    size_t at = (size_t)to->columns[from->slot] - 1;

    return at < to->table->column_count &&
           (from->presence != WEIR_VALUE ||
            (from->type == to->table->columns[at].type && from->type != WEIR_DECIMAL));
}

/* --- rows --- */

/* Of the name: numbers of tables are others in every run. */
static uint64_t print_of(const engine_table *table)
{
    uint64_t schema = weir__hash128(table->schema, strlen(table->schema), 0).low;

    return weir__hash128(table->source, strlen(table->source), schema).low;
}

static weir_status prepare(ingest_table *entry, const engine_table *table, weir_error *err)
{
    size_t count = table->column_count;

    if (entry->version == table->version && entry->capacity > 0)
        return WEIR_OK;
    if (entry->capacity < count + 1) {
        size_t wanted = count * 2 + 1;
        weir_cell *cells = weir__realloc_array(entry->cells, wanted, sizeof *cells);
        weir_cell *raw;
        uint32_t *order;

        if (cells == NULL)
            return weir__error_memory(err, "preparing a table");
        entry->cells = cells;
        raw = weir__realloc_array(entry->raw, wanted, sizeof *raw);
        if (raw == NULL)
            return weir__error_memory(err, "preparing a table");
        entry->raw = raw;
        order = weir__realloc_array(entry->order, wanted, sizeof *order);
        if (order == NULL)
            return weir__error_memory(err, "preparing a table");
        entry->order = order;
        entry->capacity = wanted;
        entry->print = print_of(table);
    }
    if (table->key_count == 0) {
        weir_column *columns = weir__calloc(count + 1, sizeof *columns);

        if (columns == NULL)
            return weir__error_memory(err, "preparing a table");
        for (size_t i = 0; i < count; i++)
            columns[i].name = table->columns[i].name;
        weir__row_order(columns, count, entry->order);
        weir__free(columns);
    }
    for (size_t i = 0; i < count; i++)
        entry->cells[i] = (weir_cell){ .column = table->columns[i].name, .type = table->columns[i].type };
    entry->version = table->version;
    return WEIR_OK;
}

static weir_status name_cell(const engine_table *table, const char *column, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];

    return weir__error_prefix(err, "table '%s', column '%s'", engine_table_path(table, path), column);
}

static_assert(sizeof((weir_cell){ 0 }.as) == sizeof((weir_record_cell){ .slot = 0 }.as),
              "values are copied from one to the other as they are");

/* A value of another type than its column's. */
static weir_status convert(ingest *in, const engine_table *table, const weir_record_cell *from, weir_cell *to,
                           weir_error *err)
{
    weir_cell cell = as_cell(from);

    cell.column = to->column;
    if (weir__convert_cell(&cell, to->type, &in->converted, err) != WEIR_OK)
        return name_cell(table, to->column, err);
    *to = cell;
    return WEIR_OK;
}

static bool is_hashed(uint32_t place)
{
    return (place & ROUTE_HASHED) != 0 && place < ROUTE_PENDING;
}

/* The cell becomes its hash, a STRING in `converted`, which has room (make_room). NULL stays NULL. */
static weir_status hash_cell(ingest *in, const engine_table *table, size_t at, weir_record_cell *cell,
                             weir_error *err)
{
    weir_cell value = as_cell(cell);
    char *out;

    cell->type = WEIR_STRING;
    if (cell->presence != WEIR_VALUE)
        return WEIR_OK;
    out = weir__buf_reserve(&in->converted, ENGINE_HASH_SIZE);
    if (out == NULL)
        return weir__error_memory(err, "hashing a value");
    if (hasher_cell(in->options.hasher, &value, out, err) != WEIR_OK)
        return name_cell(table, table->columns[at].name, err);
    in->converted.size += ENGINE_HASH_SIZE;
    cell->as.bytes = (weir_bytes){ out, ENGINE_HASH_SIZE };
    return WEIR_OK;
}

/*
 * Lays the record's cells out in the table's order; what is left out is NULL in an upsert, else unmodified
 * (R-SRC-02). Names and types of the cells are there already.
 */
static weir_status lay_out(ingest *in, const route *to, const weir_record *record, weir_error *err)
{
    const engine_table *table = to->table;
    const ingest_table *entry = &in->tables[table->number];
    bool keyless = table->key_count == 0;
    weir_presence absent = record->op == WEIR_UPSERT || keyless ? WEIR_NULL : WEIR_UNMODIFIED;

    in->converted.size = 0;
    for (size_t i = 0; i < table->column_count; i++)
        entry->cells[i].presence = absent;
    if (keyless)
        memcpy(entry->raw, entry->cells, table->column_count * sizeof *entry->raw);
    for (size_t i = 0; i < record->count; i++) {
        const weir_record_cell *from = &record->cells[i];
        size_t place = (size_t)to->columns[from->slot] - 1;
        weir_record_cell hashed;
        weir_cell *cell;

        if (place >= table->column_count) {
            if (!is_hashed(to->columns[from->slot]))
                continue; /* no column, or one that is not wanted */
            place = (to->columns[from->slot] & ~ROUTE_HASHED) - 1;
            hashed = *from;
            if (hash_cell(in, table, place, &hashed, err) != WEIR_OK)
                return WEIR_FAILED;
            from = &hashed;
        }
        cell = &entry->cells[place];
        if (record->op == WEIR_DELETE && !keyless && !table->columns[place].key)
            continue;
        if (keyless) {
            entry->raw[place] = as_cell(from);
            entry->raw[place].column = cell->column;
        }
        cell->presence = from->presence;
        if (from->presence != WEIR_VALUE)
            continue;
        if (from->type == cell->type)
            memcpy(&cell->as, &from->as, sizeof cell->as);
        else if (convert(in, table, from, cell, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    return WEIR_OK;
}

/*
 * Room for every conversion of the row beforehand, so that no cell's bytes move while others are borrowed.
 * Only numbers and times change their text; a run of bytes keeps it, whatever the type, but for BINARY, which
 * grows by a third.
 */
static weir_status make_room(ingest *in, const weir_record *record, weir_error *err)
{
    size_t room = record->count * 2 * WEIR_TEXT_FIXED_MAX + record->size * 2;

    in->converted.size = 0;
    if (weir__buf_reserve(&in->converted, room) == NULL)
        return weir__error_memory(err, "converting a row");
    return WEIR_OK;
}

static weir_status hash_key(ingest *in, const engine_table *table, const weir_record *record,
                            weir_hash128 *hash, weir_error *err)
{
    const ingest_table *entry = &in->tables[table->number];
    char path[ENGINE_PATH_SIZE];

    in->key.size = 0;
    for (size_t i = 0; i < table->key_count; i++) {
        const weir_cell *cell = &entry->cells[table->keys[i]];

        /* Nobody but the destination has said that this column is the key: it was declared so once. */
        if (cell->presence != WEIR_VALUE && !table->declared)
            return weir__error_as(err, WEIR_TASK,
                                  "table '%s': column '%s' is part of the key at the destination, but the "
                                  "source sends rows without a value in it. " CATALOG_KEY_ADVICE,
                                  engine_table_path(table, path), cell->column);
        if (cell->presence != WEIR_VALUE)
            return weir__error(err, "table '%s': the source sent %s %s without a value in key column '%s'",
                               engine_table_path(table, path), record->op == WEIR_DELETE ? "a" : "an",
                               op_names[record->op], cell->column);
        if (weir__key_put(&in->key, cell, err) != WEIR_OK)
            return name_cell(table, cell->column, err);
    }
    *hash = weir__hash128(in->key.data, in->key.size, in->seed ^ entry->print);
    return WEIR_OK;
}

/*
 * The stand-in id of a row without key becomes its first cell (R-ENG-06); from the cells as they were sent.
 */
static weir_status put_row_id(ingest *in, const engine_table *table, weir_hash128 *hash, weir_error *err)
{
    const ingest_table *entry = &in->tables[table->number];
    weir_row_cells row = { .cells = entry->raw, .order = entry->order, .count = table->column_count };
    char id[WEIR_ROW_ID_SIZE];
    char path[ENGINE_PATH_SIZE];

    if (weir__row_id(in->hasher, &row, id, err) != WEIR_OK)
        return weir__error_prefix(err, "table '%s'", engine_table_path(table, path));
    *hash = weir__hash128(id, sizeof id, in->seed ^ entry->print);
    if (!weir__csv_put_text(&in->text, id, sizeof id))
        return weir__error_memory(err, "formatting a row");
    return WEIR_OK;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
}

/* What the value says about its column, for joins to come; `text` is what has just been written for it. */
static void learn(engine_column *column, const weir_cell *cell, weir_bytes text)
{
    if (cell->presence != WEIR_VALUE)
        return;
    switch (cell->type) {
    case WEIR_STRING:
        if (cell->as.bytes.size > column->shape.string_byte_length)
            column->shape.string_byte_length = cell->as.bytes.size;
        break;
    case WEIR_LONG:
        if (magnitude(cell->as.integer) > column->shape.magnitude_max)
            weir__shape_observe(&column->shape, cell, text);
        break;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        if (text.size > 0 && text.data[0] == '"') {
            text.data++;
            text.size -= 2;
        }
        if (!few_digits(text, column->shape.real_whole_digits, column->shape.real_fraction_digits))
            weir__shape_observe(&column->shape, cell, text);
        break;
    default:
        break;
    }
}

static weir_status format_row(ingest *in, engine_table *table, const engine_request *request, weir_op op,
                              weir_error *err)
{
    const ingest_table *entry = &in->tables[table->number];
    weir_file_params params = { .null_string = weir__text(request->markers.null_string),
                                .unmodified_string = weir__text(request->markers.unmodified_string) };
    weir_cell untouched = { .presence = WEIR_UNMODIFIED };

    for (size_t i = 0; i < table->column_count; i++) {
        /*
         * The rows of a table without key are deleted by their id alone; the other cells made it and go no
         * further.
         */
        const weir_cell *cell = op == WEIR_DELETE && table->key_count == 0 ? &untouched : &entry->cells[i];
        size_t before;

        if (i > 0 || table->key_count == 0) {
            char *comma = weir__buf_reserve(&in->text, 1);

            if (comma == NULL)
                return weir__error_memory(err, "formatting a row");
            *comma = ',';
            in->text.size++;
        }
        before = in->text.size;
        if (weir__csv_put_cell(&in->text, &params, cell, err) != WEIR_OK)
            return name_cell(table, table->columns[i].name, err);
        learn(&table->columns[i], cell, (weir_bytes){ in->text.data + before, in->text.size - before });
    }
    return WEIR_OK;
}

/* --- requests --- */

static weir_status open_request(ingest *in, ingest_table *entry, const engine_table *table, weir_error *err)
{
    if (entry->request != NULL)
        return WEIR_OK;
    if (in->group_requests >= WEIR_GROUP_REQUESTS_MAX) {
        weir_status status = ingest_load_early(in, err);

        if (status != WEIR_OK)
            return status;
    }
    entry->request = engine_request_new(table, err);
    if (entry->request == NULL)
        return WEIR_FAILED;
    ingest_history_request(in, entry->request);
    in->group_requests++;
    in->open[in->open_count++] = table->number;
    return WEIR_OK;
}

static void count(engine_request *request, weir_op op)
{
    if (op == WEIR_UPSERT)
        request->counts.upserts++;
    else if (op == WEIR_UPDATE)
        request->counts.updates++;
    else
        request->counts.deletes++;
}

/*
 * Formats the row with its request's markers and folds it in. The request may have to change first, and then
 * the text is made anew with other markers; the second time there is always room.
 */
static weir_status fold_row_in(ingest *in, const route *to, const weir_record *record, weir_error *err)
{
    engine_table *table = to->table;
    weir_status status;

    for (int attempt = 0;; attempt++) {
        ingest_table *entry = &in->tables[table->number];
        fold_input input = { .table = table->number,
                             .op = record->op,
                             .cells = (uint32_t)table->column_count + (table->key_count == 0),
                             .synced_ms = in->synced_ms };
        fold_outcome outcome;

        status = open_request(in, entry, table, err);
        in->text.size = 0;
        /*
         * At once what a row most likely takes, for growing in steps leaves copies; and text even where there
         * is none.
         */
        if (status == WEIR_OK && weir__buf_reserve(&in->text, record->size + record->size / 8 + 1) == NULL)
            status = weir__error_memory(err, "formatting a row");
        if (status == WEIR_OK)
            status = table->key_count == 0 ? put_row_id(in, table, &input.hash, err)
                                           : hash_key(in, table, record, &input.hash, err);
        fold_expect(in->rows, input.table,
                    input.hash); /* the memory arrives while the row is being formatted */
        if (status == WEIR_OK)
            status = format_row(in, table, entry->request, record->op, err);
        if (status != WEIR_OK)
            return status;
        input.text = in->text.data;
        input.size = in->text.size;
        input.owner = in->text.size > WEIR_ROW_LARGE ? &in->text.data : NULL;
        input.request = entry->request;
        input.markers = &entry->request->markers;
        input.written = entry->request->written;
        input.history = table->history;
        input.again = in->history.again;
        outcome = fold_put(in->rows, &input);
        if (in->text.data == NULL) /* the fold has kept it */
            weir__buf_clear(&in->text);
        if (outcome == FOLD_DONE) {
            count(entry->request, record->op);
            ingest_history_count(in, entry->request);
            return WEIR_OK;
        }
        if (outcome == FOLD_MEMORY || attempt == 4)
            return weir__error_memory(err, "folding a row");
        if (outcome == FOLD_REPEAT)
            status = ingest_seal(in, table, err);
        else
            status = ingest_make_room(in, err);
        if (status != WEIR_OK)
            return status;
    }
}

static weir_status truncate(ingest *in, engine_table *table, weir_error *err)
{
    bool versions = table->history && (table->current != NULL || table->filled);
    int64_t until_ms;
    int64_t cutoff_ms;
    weir_status status;

    if (table->history)
        return versions ? ingest_history_truncate(in, table, err) : WEIR_OK;
    status = ingest_settle(in, err);
    if (status == WEIR_OK)
        status = ingest_seal(in, table, err);
    table->restarts = true;
    table->filled = false;
    if (status == WEIR_OK) /* before any row is marked: the destination may refuse */
        status = ingest_key_settle(in, table, err);
    if (status != WEIR_OK)
        return status;
    cutoff_ms = synced_cutoff(in->options.clock, in->port->wall_ms(in->port->context));
    in->synced_ms = in->options.clock->last_ms;
    if (synced_reserve(in->options.clock, &until_ms)) {
        status = in->port->reserve(in->port->context, until_ms, err);
        if (status != WEIR_OK)
            return status;
    }
    return in->port->truncate(in->port->context, table, cutoff_ms, err);
}

/* Shows the row to the linter. */
static void watch(ingest *in, ingest_table *entry, const engine_table *table)
{
    if (entry->watched == NULL && !entry->unwatched) {
        entry->watched = lint_cursor_table(in->cursors, table);
        entry->unwatched = entry->watched == NULL;
    }
    if (entry->watched != NULL)
        lint_cursor_row(entry->watched, entry->cells);
}

weir_status ingest_record(ingest *in, const weir_record *record, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    ingest_table *entry;
    route *to = NULL;
    weir_status status = route_table(in, record, &to, err);

    if (status == WEIR_OK && to->unwanted)
        return WEIR_OK; /* R-SRC-05: a source may send it all the same */
    if (status == WEIR_OK)
        status = ingest_open(in, to->table, err);
    if (status != WEIR_OK)
        return status;
    in->group_bytes += record->size;
    if (record->op == WEIR_TRUNCATE)
        return truncate(in, to->table, err);
    in->totals.records++;
    lint_rows(&in->lint, 1);
    for (size_t i = 0; i < record->count; i++) {
        if (is_placed(to, &record->cells[i]))
            continue;
        status = place_cell(in, to, &record->cells[i], err);
        if (status != WEIR_OK)
            return status;
    }
    entry = ingest_table_of(in, to->table);
    if (entry == NULL)
        return weir__error_memory(err, "meeting a table");
    if (to->table->rekeyed)
        status = ingest_key_settle(in, to->table, err);
    if (status != WEIR_OK)
        return status;
    entry->rows_after = in->totals.checkpoints + 1;
    to->table->filled = true;
    if (record->op == WEIR_UPDATE && to->table->key_count == 0)
        return weir__error(
            err,
            "table '%s': the source sent an UPDATE, but the table has no key to find the row by; declare "
            "a key, or send whole rows as UPSERT and DELETE",
            engine_table_path(to->table, path));
    status = to->table->history ? ingest_history_record(in, err) : WEIR_OK;
    if (status == WEIR_OK)
        status = prepare(entry, to->table, err);
    if (status == WEIR_OK)
        status = make_room(in, record, err);
    if (status == WEIR_OK)
        status = lay_out(in, to, record, err);
    if (status == WEIR_OK && in->watches)
        watch(in, entry, to->table);
    /* R-ENG-08: a large row is in memory alone, once as it came and once as text. */
    if (status == WEIR_OK && record->size > WEIR_ROW_LARGE)
        status = ingest_flush(in, err);
    if (status == WEIR_OK)
        status = fold_row_in(in, to, record, err);
    if (in->text.capacity > WEIR_ROW_LARGE)
        weir__buf_clear(&in->text);
    if (in->converted.capacity > WEIR_ROW_LARGE)
        weir__buf_clear(&in->converted);
    if (status == WEIR_OK && record->size > WEIR_ROW_LARGE)
        status = ingest_flush(in, err);
    return status;
}
