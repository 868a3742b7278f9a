/*
 * tester/destination_ops: the operations of a file, gathered into requests, written, and applied to the
 * model.
 *
 * Production keeps the order of the operations on a table: what waits is written before a truncate, and
 * whenever one request cannot say what comes next. Official writes all of a file's rows of a table at once
 * and truncates after that, with the times that the truncates have in the file.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/base64.h"
#include "data/table.h"
#include "tester/destination_internal.h"

/* --- tables of the operations --- */

static const input_table *find_input(const input_table *tables, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tables[i].table.name, name) == 0)
            return &tables[i];
    return NULL;
}

static weir_status no_such_table(destination *d, const input_step *step, weir_error *err)
{
    input_error(&d->file->text, step->at, true, err,
                "there is no table '%s': neither create_table of this file nor an earlier one makes it",
                step->table);
    return tester_blame(d->t, TESTER_USAGE, WEIR_FAILED);
}

/* What a table will be when the file's operations begin; NULL without an error: the destination may know. */
static weir_status expected_shape(destination *d, const char *name, row_table *out, weir_error *err)
{
    const input_table *altered = find_input(d->file->altered, d->file->altered_count, name);
    const input_table *created = find_input(d->file->created, d->file->created_count, name);
    const input_table *from = altered != NULL ? altered : created;
    const destination_table *known = destination_find(d, name);
    weir_table *table = NULL;

    if (from != NULL) {
        table = write_plan_full_table(d->options->schema, from, d->file_arena);
        out->history = from->history;
    } else if (known != NULL && weir__model_find(d->model, d->options->schema, name) != NULL) {
        table = destination_shape(d, known, d->file_arena);
        out->history = known->history;
    } else {
        *out = (row_table){ 0 };
        return WEIR_OK;
    }
    out->doubtful = table != NULL ? weir__arena_array(d->file_arena, table->column_count + 1, sizeof(bool))
                                  : NULL;
    out->table = table;
    return out->doubtful != NULL ? WEIR_OK : weir__error_memory(err, "checking rows");
}

static void tell_nobody(void *context, const char *told)
{
    (void)context;
    (void)told;
}

static weir_status check_step(destination *d, const input_step *step, weir_arena *arena, weir_error *err)
{
    input_rules rules = { .lenient = d->rules.lenient, .tell = tell_nobody };
    row_table shape;
    row_reader *reader;
    input_row row;
    weir_status status = expected_shape(d, step->table, &shape, err);

    if (status != WEIR_OK || shape.table == NULL)
        return status;
    reader = row_reader_new(&d->file->text, &rules, &shape);
    if (reader == NULL)
        return weir__error_memory(err, "checking rows");
    for (const input_value *raw = step->rows->first; raw != NULL && status == WEIR_OK; raw = raw->next) {
        weir__arena_reset(arena);
        status = row_read(reader, step->op, raw, arena, &row, err);
    }
    row_reader_free(reader);
    return status == WEIR_OK ? status : tester_blame(d->t, TESTER_USAGE, status);
}

weir_status destination_check_rows(destination *d, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_TESTER_ROWS_SIZE_MAX);
    weir_status status = arena != NULL ? WEIR_OK : weir__error_memory(err, "checking rows");

    for (size_t i = 0; i < d->file->step_count && status == WEIR_OK; i++)
        if (d->file->steps[i].rows != NULL)
            status = check_step(d, &d->file->steps[i], arena, err);
    weir__arena_free(arena);
    return status;
}

/* --- the model --- */

/* Rows of one kind as the model takes them; in the plan's arena. */
static weir_status model_rows(const plan_rows *rows, size_t columns, weir_arena *arena, weir_model_rows *out,
                              weir_error *err)
{
    weir_row *array = weir__arena_array(arena, rows->count + 1, sizeof *array);

    if (array == NULL)
        return weir__error_memory(err, "applying rows to the model");
    for (size_t i = 0; i < rows->count; i++)
        array[i] = (weir_row){ .cells = rows->rows[i].meant, .count = columns };
    *out = (weir_model_rows){ .rows = array, .count = rows->count };
    return WEIR_OK;
}

static weir_status apply(destination *d, destination_table *known, const plan_request *request,
                         weir_error *err)
{
    weir_model_batch batch = { .table = known->shape };
    weir_model_rows *const kinds[PLAN_KIND_COUNT] = { &batch.earliest, &batch.replace, &batch.update,
                                                      &batch.remove };
    weir_status status = WEIR_OK;

    for (int kind = 0; kind < PLAN_KIND_COUNT && status == WEIR_OK; kind++)
        status = model_rows(&request->kinds[kind], known->shape->column_count, write_plan_arena(known->plan),
                            kinds[kind], err);
    if (status != WEIR_OK || known->unknown_rows)
        return status;
    for (size_t i = 0; i < known->shape->column_count && status == WEIR_OK; i++)
        if (known->shape_doubtful[i])
            status = destination_mark(d, &known->doubtful, known->shape->columns[i].name, err);
    if (status != WEIR_OK)
        return status;
    status = known->history ? weir__model_write_history(d->model, &batch, err)
                            : weir__model_write(d->model, &batch, err);
    if (status == WEIR_OK || !d->official)
        return status;
    destination_forget_rows(d, known, err->text); /* what the official tester sends need not make sense */
    return WEIR_OK;
}

/* --- requests --- */

/* Whether a cell is a text that was sent into a BINARY column as it is, and is no base64. */
static weir_status is_bare_text(const weir_column *column, const weir_cell *cell, weir_arena *arena,
                                bool *out, weir_error *err)
{
    size_t size = cell->as.bytes.size;
    char *decoded;

    *out = false;
    if (column->type != WEIR_BINARY || cell->presence != WEIR_VALUE || cell->type != WEIR_STRING)
        return WEIR_OK;
    decoded = weir__arena_alloc(arena, size + 1);
    if (decoded == NULL)
        return weir__error_memory(err, "encoding BINARY values");
    *out = !weir__base64_decode(cell->as.bytes.data, size, decoded, &size);
    return WEIR_OK;
}

/* Makes BINARY values of such texts, which the emitter then encodes; *count: how many. */
static weir_status encode_texts(const weir_table *shape, const plan_request *request, weir_arena *arena,
                                size_t *count, weir_error *err)
{
    weir_status status = WEIR_OK;

    *count = 0;
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++)
        for (size_t row = 0; row < request->kinds[kind].count; row++)
            for (size_t i = 0; i < shape->column_count && status == WEIR_OK; i++) {
                weir_cell *cell = &request->kinds[kind].rows[row].sent[i];
                bool bare = false;

                status = is_bare_text(&shape->columns[i], cell, arena, &bare, err);
                if (bare) {
                    cell->type = WEIR_BINARY;
                    ++*count;
                }
            }
    return status;
}

static weir_status send(destination *d, const destination_table *known, const plan_request *request,
                        weir_error *err)
{
    emit_files files = { 0 };
    weir_status status = emit_request(d->emit, known->shape, d->base, request, &files, err);

    if (status == WEIR_UNSUPPORTED) /* a type that Parquet files do not have (R-BAT-11) */
        return tester_blame(d->t, TESTER_USAGE, status);
    if (status == WEIR_OK)
        status = destination_write(d->calls, known->shape, known->history, &files, err);
    emit_clear(&files, d->options->keep_files);
    return status;
}

/*
 * Official: a request was refused in which the input file's texts stood in BINARY columns as they are. A
 * destination that decodes base64 is right to do so (R-BAT-08), so it is sent again as production sends it.
 */
static weir_status send_encoded(destination *d, const destination_table *known, const plan_request *request,
                                weir_status refused, weir_error *err)
{
    weir_error why = { 0 };
    size_t count = 0;
    weir_status status = encode_texts(known->shape, request, d->file_arena, &count, &why);

    if (status != WEIR_OK)
        *err = why;
    if (status != WEIR_OK || count == 0)
        return status != WEIR_OK ? status : refused;
    tester_warn(
        d->t,
        "%s. BINARY values of the input file that are no base64: %zu. The official tester sends such a "
        "text as it is, which a destination is right to refuse (R-BAT-08). Sending again as production does, "
        "with the text's bytes as base64",
        err->text, count);
    tester_absolve(d->t);
    return send(d, known, request, err);
}

static weir_status flush(destination *d, destination_table *known, weir_error *err)
{
    plan_request request = { 0 };
    weir_status status;

    if (known->plan == NULL || write_plan_is_empty(known->plan))
        return WEIR_OK;
    status = write_plan_take(known->plan, &request, err);
    if (status != WEIR_OK)
        return status;
    status = send(d, known, &request, err);
    if (d->official && (status == WEIR_FAILED || status == WEIR_TASK))
        status = send_encoded(d, known, &request, status, err);
    if (status == WEIR_OK) {
        tester_say(d->t, "WriteBatch succeeded: %s", known->name);
        tester_count(d->t, "calls.write", 1);
        tester_count(d->t, "rows.written", request.rows);
        status = apply(d, known, &request, err);
    }
    write_plan_reset(known->plan);
    return status;
}

/* The plan and reader of a table for this file. */
static weir_status open_plan(destination *d, const input_step *step, destination_table **out, weir_error *err)
{
    destination_table *known = destination_find(d, step->table);
    weir_table *found = NULL;
    row_table shape;
    weir_status status = WEIR_OK;

    if (weir__model_find(d->model, d->options->schema, step->table) == NULL) {
        status = destination_look(d, step->table, &found, err);
        if (status == WEIR_OK && found == NULL)
            status = no_such_table(d, step, err);
        if (status != WEIR_OK)
            return status;
        known = destination_find(d, step->table);
    }
    known->touched = true;
    *out = known;
    if (known->plan != NULL)
        return WEIR_OK;
    known->shape = destination_shape(d, known, d->file_arena);
    known->shape_doubtful = known->shape != NULL
                                ? weir__arena_array(d->file_arena, known->shape->column_count + 1,
                                                    sizeof(bool))
                                : NULL;
    if (known->shape_doubtful != NULL) {
        plan_options options = { .table = known->shape, .history = known->history, .official = d->official };

        shape = (row_table){ .table = known->shape,
                             .history = known->history,
                             .doubtful = known->shape_doubtful };
        known->plan = write_plan_new(&options);
        known->rows = row_reader_new(&d->file->text, &d->rules, &shape);
    }
    return known->plan != NULL && known->rows != NULL ? WEIR_OK : weir__error_memory(err, "gathering rows");
}

static weir_status run_rows(destination *d, const input_step *step, weir_time synced, weir_error *err)
{
    destination_table *known = NULL;
    input_row row;
    weir_status status = open_plan(d, step, &known, err);

    for (const input_value *raw = step->rows->first; raw != NULL && status == WEIR_OK; raw = raw->next) {
        if (!d->official && write_plan_size(known->plan) > WEIR_TESTER_ROWS_SIZE_TARGET)
            status = flush(d, known, err);
        for (int attempt = 0; status == WEIR_OK && attempt < 2; attempt++) {
            status = row_read(known->rows, step->op, raw, write_plan_arena(known->plan), &row, err);
            if (status != WEIR_OK)
                return tester_blame(d->t, TESTER_USAGE, status);
            status = write_plan_add(known->plan, &row, synced, err);
            if (status != WEIR_ITEM)
                break;
            status = flush(d, known, err);
        }
    }
    return status;
}

/* Official: told, and let pass. */
static void tell_refused(destination *d, destination_table *known, const char *text)
{
    tester_warn(d->t,
                "%s%s. This profile goes on; production fails here, for a platform would end the sync. A "
                "table that is missing is answered with success (R-DST-04)",
                text, known == NULL ? ", and no such table has been created" : "");
    if (known != NULL)
        destination_forget_rows(d, known, "Truncate was refused");
}

static weir_status run_truncate(destination *d, const input_step *step, weir_time before, weir_error *err)
{
    bool soft = step->op == INPUT_SOFT_TRUNCATE;
    destination_table *known = destination_find(d, step->table);
    weir_truncation what = { .schema = d->options->schema,
                             .table = step->table,
                             .synced_column = "_fivetran_synced",
                             .before = before,
                             .deleted_column = soft ? "_fivetran_deleted" : NULL };
    weir_status status = WEIR_OK;

    if (known != NULL && known->history && soft) {
        status = input_complain(&d->file->text, &d->rules, step->at, false, err,
                                "table '%s' is in history mode and has no _fivetran_deleted to be set",
                                step->table);
        if (status != WEIR_OK)
            return tester_blame(d->t, TESTER_USAGE, status);
    }
    if (known != NULL)
        known->touched = true;
    tester_say(d->t, "Truncating: %s", step->table);
    status = destination_truncate(d->calls, &what, err);
    if (status == WEIR_ITEM) {
        tell_refused(d, known, err->text);
        return WEIR_OK;
    }
    if (status != WEIR_OK)
        return status;
    tester_say(d->t, "%s succeeded: %s", soft ? "Truncate" : "Hard Truncate", step->table);
    tester_count(d->t, "calls.truncate", 1);
    status = weir__model_truncate(d->model, &what, err);
    if (status != WEIR_OK && d->official && known != NULL) {
        destination_forget_rows(d, known, err->text);
        return WEIR_OK;
    }
    return status;
}

/* A truncate in production comes after what waits of its table. */
static weir_status truncate_in_order(destination *d, const input_step *step, weir_time now, weir_error *err)
{
    destination_table *known = destination_find(d, step->table);
    weir_status status = known != NULL ? flush(d, known, err) : WEIR_OK;

    return status == WEIR_OK ? run_truncate(d, step, now, err) : status;
}

static weir_status flush_all(destination *d, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < d->tables.count && status == WEIR_OK; i++)
        status = flush(d, d->tables.entries[i].value, err);
    return status;
}

weir_status destination_run_ops(destination *d, weir_error *err)
{
    const input_file *file = d->file;
    weir_time *times = weir__arena_array(d->file_arena, file->step_count + 1, sizeof *times);
    weir_status status = times != NULL ? WEIR_OK : weir__error_memory(err, "running operations");

    for (size_t i = 0; i < file->step_count && status == WEIR_OK; i++) {
        const input_step *step = &file->steps[i];
        bool same = i > 0 && file->steps[i - 1].operation == step->operation;

        times[i] = same ? times[i - 1] : destination_tick(d);
        if (step->rows != NULL)
            status = run_rows(d, step, times[i], err);
        else if (!d->official)
            status = truncate_in_order(d, step, times[i], err);
    }
    if (status == WEIR_OK)
        status = flush_all(d, err);
    for (size_t i = 0; d->official && i < file->step_count && status == WEIR_OK; i++)
        if (file->steps[i].rows == NULL)
            status = run_truncate(d, &file->steps[i], times[i], err);
    return status;
}
