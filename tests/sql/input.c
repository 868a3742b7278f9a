/*
 * tests/sql/input: a sequence as input files of `weir test`, one a step: files run in alphabetical order, and
 * a file has no order of its own among tables, rows and migrations.
 *
 * The tester sets system columns itself, so the times differ; it neither kills nor sends again, and ends at a
 * step that the model refuses. What it has no words for at all: tables without a key, tables of a live sync,
 * two schemas.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "main.h"

#include "base/limits.h"
#include "data/base64.h"
#include "data/text.h"

typedef struct writer {
    FILE *out;
    const weir_model *model;
    weir_arena *arena;
} writer;

static void put_string(FILE *out, const char *text, size_t size)
{
    fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_name(FILE *out, const char *name)
{
    put_string(out, name, strlen(name));
}

static bool is_system(const char *name)
{
    return strncmp(name, "_fivetran_", 10) == 0;
}

static bool is_history(const weir_table *table)
{
    return weir_table_column(table, "_fivetran_start") != NULL;
}

/* --- tables --- */

static void put_type(FILE *out, const weir_column *column)
{
    if (column->type == WEIR_DECIMAL && column->params.precision > 0)
        fprintf(out, "{\"type\": \"DECIMAL\", \"precision\": %u, \"scale\": %u}", column->params.precision,
                column->params.scale);
    else if (column->type == WEIR_STRING && column->params.string_byte_length > 0)
        fprintf(out, "{\"type\": \"STRING\", \"string_byte_length\": %u}", column->params.string_byte_length);
    else
        fprintf(out, "\"%s\"", weir_type_name(column->type));
}

static void put_table(FILE *out, const char *section, const weir_table *table)
{
    const char *glue = "";

    fprintf(out, "  \"%s\": {\n    ", section);
    put_name(out, table->name);
    fputs(": {\n      \"columns\": {", out);
    for (size_t i = 0; i < table->column_count; i++) {
        if (is_system(table->columns[i].name))
            continue;
        fprintf(out, "%s\n        ", glue);
        put_name(out, table->columns[i].name);
        fputs(": ", out);
        put_type(out, &table->columns[i]);
        glue = ",";
    }
    fputs("\n      },\n      \"primary_key\": [", out);
    glue = "";
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key || is_system(table->columns[i].name))
            continue;
        fputs(glue, out);
        put_name(out, table->columns[i].name);
        glue = ", ";
    }
    fprintf(out, "]%s\n    }\n  }", is_history(table) ? ",\n      \"history_mode\": true" : "");
}

/* --- rows --- */

/* The forms of R-BAT-08, which the tester reads in strings as well as in numbers. */
static void put_value(writer *w, const weir_cell *cell)
{
    char *text;
    size_t size;

    if (cell->presence != WEIR_VALUE) {
        fputs("null", w->out);
        return;
    }
    if (cell->type == WEIR_BOOLEAN) {
        fputs(cell->as.boolean ? "true" : "false", w->out);
        return;
    }
    text = weir__arena_raw(w->arena, weir__text_bound(cell) + 1);
    size = weir__text_format(cell, text);
    if (cell->type == WEIR_BINARY)
        fputs("{\"base64\": ", w->out);
    put_string(w->out, text, size);
    if (cell->type == WEIR_BINARY)
        fputs("}", w->out);
}

static void put_row(writer *w, const step *s, const weir_row *row)
{
    const char *when = row->op == WEIR_DELETE ? "_fivetran_end" : "_fivetran_start";
    const char *glue = "";

    fputs("{", w->out);
    for (size_t i = 0; i < row->count; i++) {
        const weir_column *column = &s->table.columns[i];
        bool time = s->kind == STEP_HISTORY && strcmp(column->name, when) == 0;

        if ((is_system(column->name) && !time) || row->cells[i].presence == WEIR_UNMODIFIED)
            continue;
        fputs(glue, w->out);
        put_name(w->out, time ? "op_time" : column->name);
        fputs(": ", w->out);
        put_value(w, &row->cells[i]);
        glue = ", ";
    }
    fputs("}", w->out);
}

static void put_rows(writer *w, const step *s)
{
    static const weir_op ops[] = { WEIR_REPLACE, WEIR_UPDATE, WEIR_DELETE };
    static const char *const words[] = { "upsert", "update", "delete" };
    const char *between = "";

    fputs("  \"ops\": [", w->out);
    for (size_t op = 0; op < 3; op++) {
        const char *glue = "";

        for (size_t i = 0; i < s->row_count; i++) {
            if (s->rows[i].op != ops[op])
                continue;
            if (glue[0] == '\0') {
                fprintf(w->out, "%s\n    {\"%s\": {", between, words[op]);
                put_name(w->out, s->table.name);
                fputs(": [", w->out);
            }
            fprintf(w->out, "%s\n      ", glue);
            put_row(w, s, &s->rows[i]);
            glue = ",";
        }
        if (glue[0] != '\0') {
            fputs("\n    ]}}", w->out);
            between = ",";
        }
    }
    fputs("\n  ]", w->out);
}

/* --- migrations --- */

static const char *const kinds[] = {
    [WEIR_MIGRATE_DROP_TABLE] = "drop_table",
    [WEIR_MIGRATE_DROP_COLUMN_HISTORY] = "drop_column_in_history_mode",
    [WEIR_MIGRATE_COPY_TABLE] = "copy_table",
    [WEIR_MIGRATE_COPY_COLUMN] = "copy_column",
    [WEIR_MIGRATE_COPY_TABLE_TO_HISTORY] = "copy_table_to_history_mode",
    [WEIR_MIGRATE_RENAME_TABLE] = "rename_table",
    [WEIR_MIGRATE_RENAME_COLUMN] = "rename_column",
    [WEIR_MIGRATE_ADD_COLUMN_HISTORY] = "add_column_in_history_mode",
    [WEIR_MIGRATE_ADD_COLUMN_DEFAULT] = "add_column_with_default_value",
    [WEIR_MIGRATE_UPDATE_COLUMN] = "update_column_value",
    [WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY] = "migrate_soft_delete_to_history",
    [WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE] = "migrate_history_to_soft_delete",
};

static void put_member(FILE *out, const char *name, const char *value)
{
    fprintf(out, ", \"%s\": ", name);
    if (value != NULL)
        put_name(out, value);
    else
        fputs("null", out);
}

static void put_column_change(FILE *out, const weir_migration *m)
{
    const weir_migration_column *column = &m->as.column;
    bool adds = m->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY || m->kind == WEIR_MIGRATE_ADD_COLUMN_DEFAULT;
    char time[36];

    put_member(out, "column", column->name);
    if (adds)
        put_member(out, "data_type", weir_type_name(column->type));
    if (m->kind != WEIR_MIGRATE_DROP_COLUMN_HISTORY)
        put_member(out, adds ? "default_value" : "value", column->value.data);
    if (m->kind == WEIR_MIGRATE_DROP_COLUMN_HISTORY || m->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY) {
        weir_time_format(WEIR_UTC_DATETIME, column->time, time);
        put_member(out, "operation_timestamp", time);
    }
}

static void put_migration(FILE *out, const weir_migration *m)
{
    bool tables = m->kind == WEIR_MIGRATE_COPY_TABLE || m->kind == WEIR_MIGRATE_RENAME_TABLE ||
                  m->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY;
    bool columns = m->kind == WEIR_MIGRATE_COPY_COLUMN || m->kind == WEIR_MIGRATE_RENAME_COLUMN;

    fprintf(out, "  \"schema_migration\": [{\"%s\": [{\"%s\": ", kinds[m->kind],
            tables ? "from_table" : "table");
    put_name(out, tables ? m->as.names.from : m->table);
    if (tables)
        put_member(out, "to_table", m->as.names.to);
    if (columns) {
        put_member(out, "from_column", m->as.names.from);
        put_member(out, "to_column", m->as.names.to);
    }
    if (m->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY)
        put_member(out, "deleted_column", m->as.names.deleted_column);
    else if (m->kind >= WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY)
        put_member(out, "deleted_column", m->as.mode.deleted_column);
    else if (!tables && !columns && m->kind != WEIR_MIGRATE_DROP_TABLE)
        put_column_change(out, m);
    fputs("}]}]", out);
}

/* --- steps --- */

/* A file of its own for the columns that an alter drops: there is no other word for that. */
static bool put_drops(writer *w, const step *s, const weir_table *stored)
{
    const char *glue = "";

    for (size_t i = 0; s->drop_columns && stored != NULL && i < stored->column_count; i++) {
        if (weir_table_column(&s->table, stored->columns[i].name) != NULL)
            continue;
        if (glue[0] == '\0') {
            fputs("{\n", w->out);
            put_table(w->out, "create_table", stored);
            fputs(",\n  \"schema_migration\": [{\"drop_column\": [", w->out);
        }
        fprintf(w->out, "%s{\"table\": ", glue);
        put_name(w->out, s->table.name);
        put_member(w->out, "column", stored->columns[i].name);
        fputs("}", w->out);
        glue = ", ";
    }
    if (glue[0] != '\0')
        fputs("]}]\n}\n", w->out);
    return glue[0] != '\0';
}

static void put_step(writer *w, const step *s)
{
    const char *name = s->kind == STEP_TRUNCATE ? s->truncation.table : s->table.name;
    const char *schema = s->kind == STEP_TRUNCATE ? s->truncation.schema : s->table.schema;
    const weir_table *stored = name != NULL ? weir__model_describe(w->model, schema, name) : NULL;

    fputs("{\n", w->out);
    if (s->kind == STEP_CREATE) {
        put_table(w->out, "create_table", &s->table);
    } else if (s->kind == STEP_ALTER) {
        put_table(w->out, "alter_table", &s->table);
    } else if (s->kind == STEP_MIGRATE) {
        put_migration(w->out, &s->migration);
    } else {
        put_table(w->out, "create_table", stored != NULL ? stored : &s->table);
        fputs(",\n", w->out);
        if (s->kind == STEP_TRUNCATE) {
            fprintf(w->out, "  \"ops\": [{\"%s\": [",
                    s->truncation.deleted_column != NULL ? "soft_truncate_before" : "truncate_before");
            put_name(w->out, name);
            fputs("]}]", w->out);
        } else {
            put_rows(w, s);
        }
    }
    fputs("\n}\n", w->out);
}

/* Why a step cannot be said; NULL: it can. */
static const char *unsayable(const step *s, const char *schema)
{
    const char *own = s->kind == STEP_MIGRATE    ? s->migration.schema
                      : s->kind == STEP_TRUNCATE ? s->truncation.schema
                                                 : s->table.schema;
    bool key = false;

    if (strcmp(own, schema) != 0)
        return "it has tables in two schemas";
    if ((s->kind == STEP_WRITE || s->kind == STEP_HISTORY) &&
        is_history(&s->table) != (s->kind == STEP_HISTORY))
        return "it writes to a table of the other mode";
    if (s->kind == STEP_CREATE) {
        for (size_t i = 0; i < s->table.column_count; i++)
            key = key || (s->table.columns[i].key && !is_system(s->table.columns[i].name));
        if (!key)
            return "it has a table without a key";
        if (!is_history(&s->table) && weir_table_column(&s->table, "_fivetran_deleted") == NULL)
            return "it has a table of a live sync";
    }
    return NULL;
}

static const char *schema_of(const sequence *s)
{
    const step *first = &s->steps[0];

    return first->kind == STEP_MIGRATE    ? first->migration.schema
           : first->kind == STEP_TRUNCATE ? first->truncation.schema
                                          : first->table.schema;
}

static bool write_file(writer *w, const step *s, const char *folder, size_t number)
{
    const weir_table *stored = weir__model_describe(w->model, s->table.schema,
                                                    s->table.name ? s->table.name : "");
    char path[512];

    snprintf(path, sizeof path, "%s/%02zu.json", folder, number);
    w->out = fopen(path, "we");
    if (w->out == NULL)
        return false;
    if (s->kind == STEP_ALTER && put_drops(w, s, stored)) {
        fclose(w->out);
        snprintf(path, sizeof path, "%s/%02zub.json", folder, number);
        w->out = fopen(path, "we");
        if (w->out == NULL)
            return false;
    }
    put_step(w, s);
    return fclose(w->out) == 0;
}

const char *sequence_write_input(const sequence *s, const char *folder)
{
    weir_model *model = weir__model_new();
    writer w = { .model = model, .arena = weir__arena_new(WEIR_GIB) };
    const char *why = s->count == 0 ? "it has no steps" : NULL;
    weir_error err;

    for (size_t i = 0; i < s->count && why == NULL; i++)
        why = unsayable(&s->steps[i], schema_of(s));
    if (why == NULL && mkdir(folder, 0755) != 0 && errno != EEXIST)
        why = strerror(errno);
    for (size_t i = 0; i < s->count && why == NULL; i++) {
        if (!write_file(&w, &s->steps[i], folder, i))
            why = strerror(errno);
        (void)!step_apply(model, &s->steps[i], w.arena, &err);
    }
    weir__arena_free(w.arena);
    weir__model_free(model);
    return why;
}
