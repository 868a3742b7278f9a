/*
 * sql/store: the store's catalogue, and what is written down beside it.
 *
 * A store has fewer types than the wire, so each column's type, bounds, part in the key and full name are
 * noted: in the column's comment or in a side table (R-DST-01). A note is a line of text:
 *
 *     [weir:]TYPE[(a[,b])][ KEY][ name=full name]      "nanoseconds of x" for the companion of column x
 *
 * A note that does not fit the stored type is not believed: somebody has changed the column.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "sql/sql_internal.h"

struct weir_sql_columns {
    weir_call *call;
    weir_sql_found *items;
    size_t count;
    size_t room;
};

/* Room for one more item of a list that belongs to the call. */
static void *grow(weir_call *call, const void *items, size_t count, size_t *room, size_t size)
{
    size_t larger = *room * 2 + 16;
    char *more;

    if (count < *room)
        return (void *)items;
    more = weir_alloc(call, larger * size);
    if (count > 0)
        memcpy(more, items, count * size);
    *room = larger;
    return more;
}

static const char *copy(weir_call *call, const char *text)
{
    return text != NULL ? weir_copy(call, text, strlen(text)) : NULL;
}

void weir_sql_columns_add(weir_sql_columns *out, const weir_sql_found *found)
{
    weir_sql_found *at;

    out->items = grow(out->call, out->items, out->count, &out->room, sizeof *out->items);
    at = &out->items[out->count++];
    *at = *found;
    at->name = copy(out->call, found->name);
    at->declared = copy(out->call, found->declared != NULL ? found->declared : "");
    at->comment = copy(out->call, found->comment);
}

void weir_sql_rows_add(weir_sql_rows *out, const char *const *texts, size_t count)
{
    const char **row = weir_alloc(out->call, (count + 1) * sizeof *row);

    for (size_t i = 0; i < count; i++)
        row[i] = copy(out->call, texts[i]);
    out->items = grow(out->call, out->items, out->count, &out->room, sizeof *out->items);
    out->items[out->count++] = row;
}

/* --- statements --- */

void (*weir__sql_watch)(const char *sql);

static void watch(const char *sql)
{
    if (weir__sql_watch != NULL)
        weir__sql_watch(sql);
}

weir_status weir__sql_end(weir_call *call, const weir_sql *sql, weir_status status)
{
    watch("COMMIT");
    status = sql->end(call, status);
    watch("");
    return status;
}

weir_status weir__sql_run(const weir_sql_request *r, const char *sql)
{
    watch(sql);
    return r->sql->run(r->call, sql, r->doing);
}

weir_status weir__sql_query(const weir_sql_request *r, const char *sql, weir_sql_rows *out)
{
    *out = (weir_sql_rows){ .call = r->call };
    return r->sql->query(r->call, sql, r->doing, out);
}

weir_status weir__sql_any(const weir_sql_request *r, const char *sql, bool *found)
{
    weir_sql_rows rows;
    weir_status status = weir__sql_query(r, sql, &rows);

    if (status == WEIR_OK)
        *found = rows.count > 0;
    return status;
}

weir_status weir__sql_exists(const weir_sql_request *r, const char *table)
{
    weir_sql_columns found = { .call = r->call };

    return r->sql->columns(r->call, r->schema, table, r->doing, &found);
}

/* --- notes --- */

static bool read_type(const char **at, weir_column *out)
{
    size_t size = strcspn(*at, "( ");
    unsigned first = 0, second = 0;

    out->type = WEIR_UNSPECIFIED;
    for (int type = 1; type < WEIR_TYPE_COUNT; type++) {
        const char *name = weir_type_name((weir_type)type);

        if (strlen(name) == size && strncmp(*at, name, size) == 0)
            out->type = (weir_type)type;
    }
    if (out->type == WEIR_UNSPECIFIED)
        return false;
    *at += size;
    out->params = (weir_params){ 0 };
    if (out->type == WEIR_DECIMAL && sscanf(*at, "(%9u,%9u)", &first, &second) == 2)
        out->params = (weir_params){ .precision = first, .scale = second };
    else if (out->type == WEIR_STRING && sscanf(*at, "(%10u)", &first) == 1)
        out->params = (weir_params){ .string_byte_length = first };
    *at += **at == '(' ? strcspn(*at, ")") : 0;
    *at += **at == ')' ? 1 : 0;
    return true;
}

/* Type, bounds, key and full name of a note; what it does not say stays. False: it is someone's own words. */
static bool read_note(const char *note, weir_column *out, bool *key)
{
    weir_column column = *out;
    const char *at = strncmp(note, "weir:", 5) == 0 ? note + 5 : note;

    if (!read_type(&at, &column))
        return false;
    *key = strncmp(at, " KEY", 4) == 0;
    at += *key ? 4 : 0;
    if (strncmp(at, " name=", 6) == 0)
        column.name = at + 6;
    else if (*at != '\0')
        return false;
    *out = column;
    return true;
}

static const char *write_note(const weir_sql_request *r, const weir_column *column, bool bounds)
{
    const char *stored = weir_sql_stored_name(r->call, r->sql, column->name, WEIR_SQL_NAME_COLUMN);
    const char *room = "";

    if (bounds && column->type == WEIR_DECIMAL && column->params.precision > 0)
        room = weir_printf(r->call, "(%u,%u)", column->params.precision, column->params.scale);
    else if (bounds && column->type == WEIR_STRING && column->params.string_byte_length > 0)
        room = weir_printf(r->call, "(%u)", column->params.string_byte_length);
    return weir_printf(r->call, "%s%s%s%s%s%s", bounds ? "weir:" : "", weir_type_name(column->type), room,
                       r->sql->no_primary_key && column->key ? " KEY" : "",
                       strcmp(stored, column->name) != 0 ? " name=" : "",
                       strcmp(stored, column->name) != 0 ? column->name : "");
}

/* --- the side table --- */

static weir_sql_request memory_request(const weir_sql_request *r)
{
    return (weir_sql_request){ r->call, r->sql, "", r->doing };
}

static const char *memory_path(const weir_sql_request *r)
{
    return weir_sql_path(r->call, r->sql, "", r->sql->memory_table);
}

const char *weir_sql_flat_name(weir_call *call, const char *schema, const char *table)
{
    weir_sql_text name = weir_sql_text_new(call);
    /* Without a schema there is no dot to look for, so then the table's own dots are written otherwise. */
    bool bare = schema == NULL || schema[0] == '\0';

    for (const char *at = bare ? table : schema; *at; at++) {
        if (*at == '.' || *at == '%')
            weir_sql_printf(&name, "%%%02X", (unsigned)*at);
        else
            weir_sql_printf(&name, "%c", *at);
    }
    if (!bare)
        weir_sql_printf(&name, ".%s", table);
    return name.data;
}

static const char *memory_key(const weir_sql_request *r, const char *table)
{
    return weir_sql_value(r->call, weir_sql_flat_name(r->call, r->schema, table));
}

static weir_status memory_exists(const weir_sql_request *r)
{
    weir_sql_request memory = memory_request(r);

    return weir__sql_exists(&memory, r->sql->memory_table);
}

/* A row of the side table as the note of a comment; bounds stand in columns of their own. */
static void note_bounds(const char *const *row, weir_column *out)
{
    out->params.precision = row[2] != NULL ? (uint32_t)strtoul(row[2], NULL, 10) : 0;
    out->params.scale = row[3] != NULL ? (uint32_t)strtoul(row[3], NULL, 10) : 0;
    out->params.string_byte_length = row[4] != NULL ? (uint32_t)strtoul(row[4], NULL, 10) : 0;
}

/* What is written down of a table: rows of column_name, type and bounds. The side table is there. */
static weir_status select_memory(const weir_sql_request *r, const char *table, weir_sql_rows *out)
{
    return weir__sql_query(
        r,
        weir_printf(r->call, "SELECT column_name, type, %s, scale, string_byte_length FROM %s WHERE %s = %s",
                    weir_sql_quoted(r->call, r->sql, "precision"), memory_path(r), "table_name",
                    memory_key(r, table)),
        out);
}

/* Where notes of a table's next shape stand until it has it. */
static const char *ahead_of(const weir_sql_request *r, const char *table)
{
    return weir__sql_leftover(r->call, "new", table);
}

/* `ahead` may be NULL. */
static weir_status read_memory(const weir_sql_request *r, const char *table, weir_sql_rows *out,
                               weir_sql_rows *ahead)
{
    weir_status status = memory_exists(r);

    *out = (weir_sql_rows){ .call = r->call };
    if (status == WEIR_NOT_FOUND)
        return WEIR_OK;
    if (status == WEIR_OK)
        status = select_memory(r, table, out);
    if (status == WEIR_OK && ahead != NULL && r->sql->ddl_commits)
        status = select_memory(r, ahead_of(r, table), ahead);
    return status;
}

static const char *const *memory_of(const weir_sql_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i][0] != NULL && strcmp(rows->items[i][0], name) == 0)
            return rows->items[i];
    return NULL;
}

/* --- tables --- */

/* True when the note is one of ours and fits the stored type. */
static bool believe(const weir_sql_request *r, const weir_sql_found *found, const char *note,
                    const char *const *row, weir_column *out)
{
    weir_column column = { .name = found->name, .key = found->key };
    bool noted_key = false;

    if (note == NULL || !read_note(note, &column, &noted_key))
        return false;
    column.key = r->sql->no_primary_key ? noted_key : found->key;
    if (row != NULL)
        note_bounds(row, &column);
    out->name = column.name;
    if (strcmp(r->sql->type(r->call, &column), found->declared) != 0)
        return false;
    *out = column;
    return true;
}

/*
 * What a column means, by its note or else by its type. `ahead` are the notes of a shape that a killed
 * request was about to give the table.
 */
static void understand(const weir_sql_request *r, const weir_sql_found *found, const weir_sql_rows *memory,
                       const weir_sql_rows *ahead, weir_sql_column *out)
{
    bool in_table = r->sql->memory == WEIR_SQL_IN_TABLE;
    const char *const *row = in_table ? memory_of(memory, found->name) : NULL;
    const char *const *next = in_table ? memory_of(ahead, found->name) : NULL;
    const char *note = in_table ? (row != NULL ? row[1] : NULL) : found->comment;
    weir_column column = { .name = found->name, .key = found->key };

    *out = (weir_sql_column){ .name = found->name, .declared = found->declared, .not_null = found->not_null };
    out->remembered = believe(r, found, note, row, &column) ||
                      (next != NULL && believe(r, found, next[1], next, &column));
    if (!out->remembered) {
        column = (weir_column){ .name = column.name, .key = found->key };
        r->sql->guess(found->declared, &column);
    }
    if (strcmp(weir_sql_stored_name(r->call, r->sql, column.name, WEIR_SQL_NAME_COLUMN), found->name) != 0)
        column.name = found->name;
    out->column = column;
}

/* The base column's name when `found` is a companion. */
static const char *companion_of(const weir_sql_request *r, const weir_sql_found *found,
                                const weir_sql_rows *memory)
{
    const char *const *row = memory_of(memory, found->name);
    const char *note = r->sql->memory == WEIR_SQL_IN_COMMENTS ? found->comment : row != NULL ? row[1] : NULL;

    if (r->sql->fine_type == NULL || note == NULL || strncmp(note, WEIR_SQL_FINE_NOTE, 15) != 0)
        return NULL;
    return note + 15;
}

static void understand_all(const weir_sql_request *r, const weir_sql_columns *found,
                           const weir_sql_rows *memory, const weir_sql_rows *ahead, weir_sql_table *out)
{
    weir_sql_column *columns = weir_alloc(r->call, (found->count + 1) * sizeof *columns);

    out->columns = columns;
    out->count = 0;
    for (size_t i = 0; i < found->count; i++)
        if (companion_of(r, &found->items[i], memory) == NULL)
            understand(r, &found->items[i], memory, ahead, &columns[out->count++]);
    for (size_t i = 0; i < found->count; i++) {
        const char *base = companion_of(r, &found->items[i], memory);

        for (size_t k = 0; base != NULL && k < out->count; k++)
            if (strcmp(columns[k].column.name, base) == 0)
                columns[k].fine = found->items[i].name;
    }
}

weir_status weir__sql_read(const weir_sql_request *r, const char *table, weir_sql_table *out)
{
    weir_sql_columns found = { .call = r->call };
    weir_sql_rows memory = { .call = r->call }, ahead = { .call = r->call };
    weir_status status = r->sql->columns(r->call, r->schema, table, r->doing, &found);

    if (status == WEIR_OK && r->sql->memory == WEIR_SQL_IN_TABLE)
        status = read_memory(r, table, &memory, &ahead);
    if (status != WEIR_OK)
        return status;
    out->schema = r->schema;
    out->name = table;
    out->path = weir_sql_path(r->call, r->sql, r->schema, table);
    understand_all(r, &found, &memory, &ahead, out);
    return WEIR_OK;
}

weir_status weir__sql_need(const weir_sql_request *r, const char *table, weir_sql_table *out)
{
    weir_status status = weir__sql_read(r, table, out);

    return status == WEIR_NOT_FOUND
               ? weir_fail(r->call, "Cannot %s: there is no table '%s'.", r->doing, table)
               : status;
}

weir_status weir_sql_read_table(weir_call *call, const weir_sql *sql, const char *schema, const char *table,
                                weir_sql_table *out)
{
    weir_sql_request r = { call, sql, schema != NULL ? schema : "",
                           weir_sql_doing(call, "read table", schema, table) };

    return weir__sql_read(&r, table, out);
}

const weir_sql_column *weir_sql_find(const weir_sql_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->columns[i].column.name, name) == 0)
            return &table->columns[i];
    return NULL;
}

/* --- writing down --- */

static const weir_sql_found *find_found(const weir_sql_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->items[i].name, name) == 0)
            return &columns->items[i];
    return NULL;
}

/* Comments that are there already stay; the others go to the store in one piece, for it may be far away. */
static weir_status remember_in_comments(const weir_sql_request *r, const char *table,
                                        const weir_column *columns, size_t count)
{
    const char *path = weir_sql_path(r->call, r->sql, r->schema, table);
    weir_sql_columns there = { .call = r->call };
    weir_sql_text sql = weir_sql_text_new(r->call);
    weir_status status = r->sql->columns(r->call, r->schema, table, r->doing, &there);

    for (size_t i = 0; status == WEIR_OK && i < count; i++) {
        const char *name = weir_sql_stored_name(r->call, r->sql, columns[i].name, WEIR_SQL_NAME_COLUMN);
        const weir_sql_found *found = find_found(&there, name);
        const char *note = write_note(r, &columns[i], true);

        if (found == NULL || found->comment == NULL || strcmp(found->comment, note) != 0)
            weir_sql_printf(&sql, "%sCOMMENT ON COLUMN %s.%s IS %s", sql.size > 0 ? "; " : "", path,
                            weir_sql_quoted(r->call, r->sql, name), weir_sql_value(r->call, note));
    }
    return status == WEIR_OK && sql.size > 0 ? weir__sql_run(r, sql.data) : status;
}

/* One more row of the side table in an INSERT, which is begun when `sql` is empty. */
static void put_memory(weir_sql_text *sql, const weir_sql_request *r, const char *table, const char *name,
                       const char *note, weir_params params)
{
    if (sql->size == 0)
        weir_sql_printf(sql, "INSERT INTO %s VALUES ", memory_path(r));
    else
        weir_sql_put(sql, ", ");
    weir_sql_printf(sql, "(%s, %s, %s, %u, %u, %u)", memory_key(r, table), weir_sql_value(r->call, name),
                    weir_sql_value(r->call, note), params.precision, params.scale, params.string_byte_length);
}

static weir_status delete_memory(const weir_sql_request *r, const char *table)
{
    const char *names = weir_printf(r->call, "table_name = %s", memory_key(r, table));

    if (r->sql->ddl_commits)
        names = weir_printf(r->call, "table_name IN (%s, %s)", memory_key(r, table),
                            memory_key(r, ahead_of(r, table)));
    return weir__sql_run(r, weir_printf(r->call, "DELETE FROM %s WHERE %s", memory_path(r), names));
}

/* Notes of companions that are there, to be kept. */
static weir_status note_companions(const weir_sql_request *r, const char *table, weir_sql_text *sql)
{
    weir_sql_columns found = { .call = r->call };
    weir_sql_rows memory;
    weir_status status = r->sql->columns(r->call, r->schema, table, r->doing, &found);

    if (status == WEIR_OK)
        status = read_memory(r, table, &memory, NULL);
    for (size_t i = 0; status == WEIR_OK && i < found.count; i++) {
        const char *base = companion_of(r, &found.items[i], &memory);

        if (base != NULL)
            put_memory(sql, r, table, found.items[i].name, weir_sql_fine_note(r->call, base),
                       (weir_params){ 0 });
    }
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

static weir_status remember_in_table(const weir_sql_request *r, const char *table, const weir_column *columns,
                                     size_t count)
{
    weir_sql_text sql = weir_sql_text_new(r->call);
    weir_status status = memory_exists(r);

    if (status == WEIR_NOT_FOUND)
        status = weir__sql_run(r, r->sql->memory_create);
    if (status == WEIR_OK && r->sql->fine_type != NULL)
        status = note_companions(r, table, &sql);
    if (status == WEIR_OK)
        status = delete_memory(r, table);
    for (size_t i = 0; i < count; i++)
        put_memory(&sql, r, table,
                   weir_sql_stored_name(r->call, r->sql, columns[i].name, WEIR_SQL_NAME_COLUMN),
                   write_note(r, &columns[i], false), columns[i].params);
    return status == WEIR_OK && sql.size > 0 ? weir__sql_run(r, sql.data) : status;
}

weir_status weir__sql_remember(const weir_sql_request *r, const char *table, const weir_column *columns,
                               size_t count)
{
    return r->sql->memory == WEIR_SQL_IN_TABLE ? remember_in_table(r, table, columns, count)
                                               : remember_in_comments(r, table, columns, count);
}

/*
 * An alter that was killed before its last statement, and found nothing to do when it came again, leaves the
 * meaning of columns to its notes ahead. They become the table's own before others take their place.
 */
static weir_status keep_ahead(const weir_sql_request *r, const weir_sql_table *stored)
{
    weir_column *columns = weir_alloc(r->call, (stored->count + 1) * sizeof *columns);
    weir_sql_rows ahead = { .call = r->call };
    size_t count = 0;
    weir_status status = memory_exists(r);

    if (status == WEIR_OK)
        status = select_memory(r, ahead_of(r, stored->name), &ahead);
    if (status != WEIR_OK || ahead.count == 0)
        return status == WEIR_NOT_FOUND ? WEIR_OK : status;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->columns[i].remembered)
            columns[count++] = stored->columns[i].column;
    return remember_in_table(r, stored->name, columns, count);
}

weir_status weir__sql_remember_ahead(const weir_sql_request *r, const weir_sql_table *stored,
                                     const weir_column *columns, size_t count)
{
    weir_status status;

    if (r->sql->memory != WEIR_SQL_IN_TABLE || !r->sql->ddl_commits)
        return WEIR_OK;
    status = keep_ahead(r, stored);
    return status == WEIR_OK ? remember_in_table(r, ahead_of(r, stored->name), columns, count) : status;
}

weir_status weir__sql_forget(const weir_sql_request *r, const char *table, const char *into)
{
    weir_status status;

    if (r->sql->memory != WEIR_SQL_IN_TABLE)
        return WEIR_OK;
    status = memory_exists(r);
    if (status != WEIR_OK)
        return status == WEIR_NOT_FOUND ? WEIR_OK : status;
    status = delete_memory(r, into != NULL ? into : table);
    if (into == NULL)
        return status;
    if (status == WEIR_OK)
        status = weir__sql_run(r, weir_printf(r->call, "UPDATE %s SET table_name = %s WHERE table_name = %s",
                                              memory_path(r), memory_key(r, into), memory_key(r, table)));
    return status;
}

/* --- whole tables --- */

weir_status weir__sql_drop_table(const weir_sql_request *r, const char *table)
{
    return weir__sql_run(
        r, weir_printf(r->call, "DROP TABLE %s", weir_sql_path(r->call, r->sql, r->schema, table)));
}

weir_status weir__sql_rename_table(const weir_sql_request *r, const char *from, const char *to)
{
    const char *name = r->sql->rename_takes_path
                           ? weir_sql_path(r->call, r->sql, r->schema, to)
                           : weir_sql_quoted(r->call, r->sql,
                                             weir_sql_stored_name(r->call, r->sql, to, WEIR_SQL_NAME_TABLE));

    return weir__sql_run(r, weir_printf(r->call, "ALTER TABLE %s RENAME TO %s",
                                        weir_sql_path(r->call, r->sql, r->schema, from), name));
}

/* What stands in the catalogue under that name. */
static weir_status look_for(const weir_sql_request *r, const char *table, bool *found)
{
    weir_status status = weir__sql_exists(r, table);

    *found = status == WEIR_OK;
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

/*
 * A table that is made anew goes through these states, and any of them may be the last (see rebuild):
 *
 *     table               nothing was done
 *     table, new          the copy is not complete: it goes
 *     old, new            the copy is complete: it becomes the table
 *     old, table          the table is the new one: the old one goes
 */
weir_status weir__sql_settle(const weir_sql_request *r, const char *table)
{
    const char *old = weir__sql_leftover(r->call, "old", table);
    const char *new = weir__sql_leftover(r->call, "new", table);
    bool has_table = false, has_old = false, has_new = false;
    weir_status status;

    if (!r->sql->ddl_commits)
        return WEIR_OK;
    status = look_for(r, table, &has_table);
    if (status == WEIR_OK)
        status = look_for(r, old, &has_old);
    if (status == WEIR_OK)
        status = look_for(r, new, &has_new);
    if (status == WEIR_OK && !has_table && has_old) {
        status = weir__sql_rename_table(r, has_new ? new : old, table);
        has_old = has_new;
        has_new = false;
    }
    if (status == WEIR_OK && has_new)
        status = weir__sql_drop_table(r, new);
    if (status == WEIR_OK && has_old)
        status = weir__sql_drop_table(r, old);
    return status;
}

weir_status weir__sql_check_names(const weir_sql_request *r, const weir_column *columns, size_t count)
{
    for (size_t i = 0; r->sql->names_ignore_case && i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(columns[i].name, columns[k].name) == 0)
                return weir_task(r->call,
                                 "Cannot %s: %s cannot tell the columns '%s' and '%s' apart; their names "
                                 "differ in case only. Deselect one of them.",
                                 r->doing, r->sql->name, columns[k].name, columns[i].name);
    return WEIR_OK;
}
