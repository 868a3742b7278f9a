/*
 * tests/model: lets scripts drive the oracle through a pipe.
 *
 * One line in is a list of requests, each a JSON object with "op"; one line out is the list of answers.
 * Without an answer of its own a request answers {"status": "ok"}, or "failed", "task", "unsupported" with
 * "text".
 *
 *   {"op": "reset"}                                             an empty model
 *   {"op": "create", TABLE}                                     TABLE = "schema", "table", "columns": [{
 *   {"op": "alter", TABLE, "drop_columns": BOOL}                "name", "type", "key", "precision", "scale"}]
 *   {"op": "write", TABLE, "replace": ROWS, "update": ROWS, "delete": ROWS}
 *   {"op": "write_history", the same and "earliest": ROWS}      ROWS = [[CELL, …]], in the columns' order
 *   {"op": "truncate", "schema", "table", "synced_column", "before": TIME, "deleted_column"}
 *   {"op": "dump", "schema", "table"}         → {"status": "ok", "columns": […], "rows": ROWS}, rows by key
 *   {"op": "compare", "schema", "table", "columns": [NAME], "rows": [[SEEN, …]], "time_digits"}
 *                                             → {"status": "ok", "diff": {…}, "text"}
 *
 * CELL is the text of R-BAT-08, null for NULL, {} for unmodified. SEEN is null, a text, or [KIND, text], with
 * the number of a weir_seen_kind.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/text.h"
#include "data/type.h"
#include "model/compare.h"

#define MEMORY_MAX (4 * WEIR_GIB)

typedef struct driver {
    weir_model *model;
    weir_arena *arena; /* of one line */
    weir_error err;
} driver;

typedef weir_status (*request)(driver *d, json_t *in, json_t *out);

static void die(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    exit(2);
}

static const char *text_of(json_t *in, const char *name)
{
    return json_string_value(json_object_get(in, name));
}

static void *array(driver *d, size_t count, size_t size)
{
    void *memory = weir__arena_array(d->arena, count + 1, size);

    if (memory == NULL)
        die("out of memory");
    return memory;
}

static weir_column read_column(json_t *in)
{
    weir_column column = { .name = text_of(in, "name"), .key = json_is_true(json_object_get(in, "key")) };
    const char *type = text_of(in, "type");

    if (column.name == NULL || type == NULL)
        die("a column without name or type");
    column.type = weir__type_from_name(weir__text(type));
    column.params.precision = (uint32_t)json_integer_value(json_object_get(in, "precision"));
    column.params.scale = (uint32_t)json_integer_value(json_object_get(in, "scale"));
    return column;
}

static weir_table read_table(driver *d, json_t *in)
{
    json_t *list = json_object_get(in, "columns");
    size_t count = json_array_size(list);
    weir_column *columns = array(d, count, sizeof *columns);

    for (size_t i = 0; i < count; i++)
        columns[i] = read_column(json_array_get(list, i));
    return (weir_table){ text_of(in, "schema"), text_of(in, "table"), columns, count };
}

static weir_cell read_cell(driver *d, const weir_column *column, json_t *in)
{
    weir_cell cell = { .column = column->name, .type = column->type, .presence = WEIR_UNMODIFIED };
    size_t size = json_string_length(in);
    char *copy;

    if (json_is_object(in))
        return cell;
    cell.presence = WEIR_NULL;
    if (!json_is_string(in))
        return cell;
    copy = array(d, size, 1);
    memcpy(copy, json_string_value(in), size);
    if (!weir__text_parse(&cell, copy, size))
        die("a cell's text is none of its type");
    return cell;
}

static weir_model_rows read_rows(driver *d, const weir_table *table, json_t *in)
{
    size_t count = json_array_size(in);
    weir_row *rows = array(d, count, sizeof *rows);

    for (size_t i = 0; i < count; i++) {
        json_t *row = json_array_get(in, i);
        weir_cell *cells = array(d, table->column_count, sizeof *cells);

        if (json_array_size(row) != table->column_count)
            die("a row with another number of cells than there are columns");
        for (size_t c = 0; c < table->column_count; c++)
            cells[c] = read_cell(d, &table->columns[c], json_array_get(row, c));
        rows[i] = (weir_row){ WEIR_REPLACE, cells, table->column_count };
    }
    return (weir_model_rows){ rows, count };
}

static weir_status reset(driver *d, json_t *in, json_t *out)
{
    (void)in;
    (void)out;
    weir__model_free(d->model);
    d->model = weir__model_new();
    return d->model != NULL ? WEIR_OK : WEIR_FAILED;
}

static weir_status create(driver *d, json_t *in, json_t *out)
{
    weir_table table = read_table(d, in);

    (void)out;
    return weir__model_create(d->model, &table, &d->err);
}

static weir_status write_rows(driver *d, json_t *in, json_t *out)
{
    weir_table table = read_table(d, in);
    weir_model_batch batch = { &table, read_rows(d, &table, json_object_get(in, "earliest")),
                               read_rows(d, &table, json_object_get(in, "replace")),
                               read_rows(d, &table, json_object_get(in, "update")),
                               read_rows(d, &table, json_object_get(in, "delete")) };

    (void)out;
    if (strcmp(text_of(in, "op"), "write_history") == 0)
        return weir__model_write_history(d->model, &batch, &d->err);
    return weir__model_write(d->model, &batch, &d->err);
}

static weir_status truncate_table(driver *d, json_t *in, json_t *out)
{
    const char *before = text_of(in, "before");
    weir_truncation what = { text_of(in, "schema"),
                             text_of(in, "table"),
                             text_of(in, "synced_column"),
                             { 0 },
                             text_of(in, "deleted_column") };

    (void)out;
    if (before == NULL || !weir_time_parse(WEIR_UTC_DATETIME, before, strlen(before), &what.before))
        die("truncate without a time");
    return weir__model_truncate(d->model, &what, &d->err);
}

static json_t *write_cell(driver *d, const weir_cell *cell)
{
    char *text;
    size_t size;

    if (cell->presence != WEIR_VALUE)
        return cell->presence == WEIR_NULL ? json_null() : json_object();
    text = array(d, weir__text_bound(cell), 1);
    size = weir__text_format(cell, text);
    if (size == WEIR_TEXT_NONE)
        die("a cell without a text");
    return json_stringn(text, size);
}

static json_t *write_columns(const weir_table *table)
{
    json_t *list = json_array();

    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b, s:i, s:i}", "name", column->name, "type",
                                        weir_type_name(column->type), "key", column->key, "precision",
                                        (int)column->params.precision, "scale", (int)column->params.scale));
    }
    return list;
}

static const weir_model_table *find(driver *d, json_t *in)
{
    const weir_model_table *table = weir__model_find(d->model, text_of(in, "schema"), text_of(in, "table"));

    if (table == NULL)
        weir__error(&d->err, "no table '%s'", text_of(in, "table"));
    return table;
}

static weir_status dump(driver *d, json_t *in, json_t *out)
{
    const weir_model_table *table = find(d, in);
    json_t *list = json_array();
    weir_model_rows rows = { 0 };
    weir_status status = WEIR_FAILED;

    if (table != NULL)
        status = weir__model_rows_sorted(table, d->arena, &rows, &d->err);
    for (size_t i = 0; i < rows.count; i++) {
        json_t *row = json_array();

        for (size_t c = 0; c < rows.rows[i].count; c++)
            json_array_append_new(row, write_cell(d, &rows.rows[i].cells[c]));
        json_array_append_new(list, row);
    }
    if (status == WEIR_OK)
        json_object_set_new(out, "columns", write_columns(weir__model_columns(table)));
    json_object_set_new(out, "rows", list);
    return status;
}

static void answer(driver *d, json_t *in, json_t *out)
{
    static const struct {
        const char *op;
        request handle;
    } requests[] = {
        { "reset", reset },
        { "create", create },
        { "write", write_rows },
        { "write_history", write_rows },
        { "truncate", truncate_table },
        { "dump", dump },
    };
    const char *op = text_of(in, "op");
    weir_status status = WEIR_CANCELLED;

    for (size_t i = 0; i < sizeof requests / sizeof requests[0] && op != NULL; i++)
        if (strcmp(requests[i].op, op) == 0)
            status = requests[i].handle(d, in, out);
    if (status == WEIR_CANCELLED)
        die("an unknown op");
    json_object_set_new(out, "status",
                        json_string(status == WEIR_OK            ? "ok"
                                    : status == WEIR_TASK        ? "task"
                                    : status == WEIR_UNSUPPORTED ? "unsupported"
                                                                 : "failed"));
    if (status != WEIR_OK)
        json_object_set_new(out, "text", json_string(d->err.text));
}

static void answer_line(driver *d, const char *line)
{
    json_error_t error;
    json_t *in = json_loads(line, 0, &error);
    json_t *out = json_array();

    if (!json_is_array(in))
        die(error.text);
    for (size_t i = 0; i < json_array_size(in); i++) {
        json_t *one = json_object();

        answer(d, json_array_get(in, i), one);
        json_array_append_new(out, one);
    }
    if (json_dumpf(out, stdout, JSON_COMPACT) != 0 || puts("") < 0 || fflush(stdout) != 0)
        die("cannot write");
    json_decref(in);
    json_decref(out);
    weir__arena_reset(d->arena);
}

int main(void)
{
    driver d = { .model = weir__model_new(), .arena = weir__arena_new(MEMORY_MAX) };
    char *line = NULL;
    size_t room = 0;

    if (d.model == NULL || d.arena == NULL)
        die("out of memory");
    while (getline(&line, &room, stdin) > 0)
        answer_line(&d, line);
    free(line);
    weir__model_free(d.model);
    weir__arena_free(d.arena);
    return 0;
}
