/* tests/sql/print: a sequence for people. */
#include <inttypes.h>
#include <string.h>

#include "main.h"

#include "data/text.h"
#include "model/value.h"

static void put_text(FILE *out, const char *text)
{
    fprintf(out, "'%s'", text != NULL ? text : "");
}

static void put_table(FILE *out, const weir_table *table)
{
    put_text(out, table->schema);
    fputs(".", out);
    put_text(out, table->name);
}

static void put_columns(FILE *out, const weir_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        fprintf(out, "\n      %s%s", weir_type_name(column->type), column->key ? " key " : " ");
        if (column->params.precision > 0)
            fprintf(out, "(%u,%u) ", column->params.precision, column->params.scale);
        if (column->params.string_byte_length > 0)
            fprintf(out, "(%u) ", column->params.string_byte_length);
        put_text(out, column->name);
    }
    fputs("\n", out);
}

static void put_cell(FILE *out, const weir_cell *cell)
{
    char room[512];
    weir_buf text = { .data = room, .capacity = sizeof room - 1, .size_max = sizeof room - 1 };

    if (!weir__value_show(&text, cell, 60))
        text.size = 0;
    fprintf(out, "%.*s", (int)text.size, room);
}

static void put_rows(FILE *out, const step *s)
{
    static const char *const ops[] = { [WEIR_REPLACE] = "replace",
                                       [WEIR_UPDATE] = "update",
                                       [WEIR_DELETE] = "delete",
                                       [WEIR_EARLIEST] = "earliest" };

    put_columns(out, &s->table);
    for (size_t i = 0; i < s->row_count; i++) {
        fprintf(out, "      %-8s (", ops[s->rows[i].op]);
        for (size_t k = 0; k < s->rows[i].count; k++) {
            fputs(k > 0 ? ", " : "", out);
            put_cell(out, &s->rows[i].cells[k]);
        }
        fputs(")\n", out);
    }
}

static void put_migration(FILE *out, const weir_migration *m)
{
    static const char *const kinds[] = { "",
                                         "drop table",
                                         "drop column in history mode",
                                         "copy table",
                                         "copy column",
                                         "copy table to history mode",
                                         "rename table",
                                         "rename column",
                                         "add column in history mode",
                                         "add column with default value",
                                         "update column value",
                                         "soft delete to history",
                                         "history to soft delete" };
    char time[36] = "";

    fprintf(out, "migrate ");
    put_text(out, m->schema);
    fputs(".", out);
    put_text(out, m->table);
    fprintf(out, ": %s", kinds[m->kind]);
    if (m->kind >= WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY) {
        fprintf(out, ", deleted column %s", m->as.mode.deleted_column ? m->as.mode.deleted_column : "none");
    } else if (m->kind == WEIR_MIGRATE_DROP_COLUMN_HISTORY || m->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY ||
               m->kind == WEIR_MIGRATE_ADD_COLUMN_DEFAULT || m->kind == WEIR_MIGRATE_UPDATE_COLUMN) {
        weir_time_format(WEIR_UTC_DATETIME, m->as.column.time, time);
        fprintf(out, " '%s' %s = %s at %s", m->as.column.name, weir_type_name(m->as.column.type),
                m->as.column.value.data ? m->as.column.value.data : "NULL", time);
    } else if (m->kind != WEIR_MIGRATE_DROP_TABLE) {
        fprintf(out, " '%s' to '%s'", m->as.names.from, m->as.names.to);
        if (m->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY)
            fprintf(out, ", deleted column %s",
                    m->as.names.deleted_column ? m->as.names.deleted_column : "none");
    }
    fputs("\n", out);
}

static void put_step(FILE *out, const step *s)
{
    char time[36];

    switch (s->kind) {
    case STEP_CREATE:
    case STEP_ALTER:
        fputs(s->kind == STEP_CREATE ? "create "
              : s->drop_columns      ? "alter, dropping columns, "
                                     : "alter ",
              out);
        put_table(out, &s->table);
        put_columns(out, &s->table);
        break;
    case STEP_TRUNCATE:
        weir_time_format(WEIR_UTC_DATETIME, s->truncation.before, time);
        fprintf(out, "truncate '%s' before %s, %s\n", s->truncation.table, time,
                s->truncation.deleted_column != NULL ? "soft" : "hard");
        break;
    case STEP_WRITE:
    case STEP_HISTORY:
        fputs(s->kind == STEP_WRITE ? "write " : "write history ", out);
        put_table(out, &s->table);
        put_rows(out, s);
        break;
    case STEP_MIGRATE:
        put_migration(out, &s->migration);
        break;
    }
}

void sequence_print(const sequence *s, FILE *out)
{
    for (size_t i = 0; i < s->count; i++) {
        fprintf(out, "%3zu  ", i);
        put_step(out, &s->steps[i]);
        if (s->steps[i].kill_at > 0)
            fprintf(out, "      (killed before at statement %u)\n", s->steps[i].kill_at);
        if (s->steps[i].kill_row > 0)
            fprintf(out, "      (killed before at row %u)\n", s->steps[i].kill_row);
        if (s->steps[i].again)
            fputs("      (sent again)\n", out);
    }
}
