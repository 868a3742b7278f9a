/* destination-duckdb/table: types, comments, describe, create and truncate. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define COMPANION_COMMENT "nanoseconds of "
/* A DECIMAL whose digits nobody said. */
#define PRECISION_DEFAULT 38
#define SCALE_DEFAULT 18

stage_column table_stage_column(const weir_column *column)
{
    static const duckdb_type types[WEIR_TYPE_COUNT] = {
        [WEIR_UNSPECIFIED] = DUCKDB_TYPE_VARCHAR,
        [WEIR_BOOLEAN] = DUCKDB_TYPE_BOOLEAN,
        [WEIR_SHORT] = DUCKDB_TYPE_SMALLINT,
        [WEIR_INT] = DUCKDB_TYPE_INTEGER,
        [WEIR_LONG] = DUCKDB_TYPE_BIGINT,
        [WEIR_DECIMAL] = DUCKDB_TYPE_DECIMAL,
        [WEIR_FLOAT] = DUCKDB_TYPE_FLOAT,
        [WEIR_DOUBLE] = DUCKDB_TYPE_DOUBLE,
        [WEIR_NAIVE_DATE] = DUCKDB_TYPE_DATE,
        [WEIR_NAIVE_DATETIME] = DUCKDB_TYPE_TIMESTAMP,
        [WEIR_UTC_DATETIME] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [WEIR_BINARY] = DUCKDB_TYPE_BLOB,
        [WEIR_XML] = DUCKDB_TYPE_VARCHAR,
        [WEIR_STRING] = DUCKDB_TYPE_VARCHAR,
        [WEIR_JSON] = DUCKDB_TYPE_VARCHAR,
        [WEIR_NAIVE_TIME] = DUCKDB_TYPE_TIME,
    };
    stage_column out = { .type = types[column->type], .json = column->type == WEIR_JSON, .key = column->key };
    uint32_t precision = column->params.precision, scale = column->params.scale;

    if (column->type != WEIR_DECIMAL)
        return out;
    if (precision == 0) {
        precision = PRECISION_DEFAULT;
        scale = SCALE_DEFAULT;
    }
    /* Wider ones are cut to what DuckDB has; a value that then does not fit is refused, never rounded. */
    out.width = (uint8_t)(precision < 38 ? precision : 38);
    out.scale = (uint8_t)(scale < out.width ? scale : out.width);
    return out;
}

const char *table_declared(weir_call *call, const weir_column *column)
{
    static const char *const names[WEIR_TYPE_COUNT] = {
        "VARCHAR",
        "BOOLEAN",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "",
        "FLOAT",
        "DOUBLE",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMP WITH TIME ZONE",
        "BLOB",
        "VARCHAR",
        "VARCHAR",
        "JSON",
        "TIME",
    };
    stage_column stored;

    if (column->type != WEIR_DECIMAL)
        return names[column->type];
    stored = table_stage_column(column);
    return weir_printf(call, "DECIMAL(%u,%u)", stored.width, stored.scale);
}

const char *table_companion_name(weir_call *call, const char *base)
{
    return weir_printf(call, "%s (ns)", base);
}

const char *table_doing(weir_call *call, const char *what, const char *schema, const char *table)
{
    return weir_printf(call, "%s '%s%s%s'", what, schema ? schema : "", schema && schema[0] ? "." : "",
                       table);
}

const weir_column *table_find(const weir_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const stored_column *table_stored_column(const stored_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->columns[i].base == NULL && strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const stored_column *table_companion(const stored_table *table, const char *base)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->columns[i].base && strcmp(table->columns[i].base, base) == 0)
            return &table->columns[i];
    return NULL;
}

/* --- what a column means --- */

/* "STRING(256) KEY", "DECIMAL(10,2)", "XML": false when the comment is somebody's own words. */
static bool read_comment(const char *comment, weir_column *out)
{
    for (int type = 1; type < WEIR_TYPE_COUNT; type++) {
        const char *name = weir_type_name((weir_type)type);
        size_t size = strlen(name);
        unsigned first = 0, second = 0;
        int used = 0;

        if (strncmp(comment, name, size) != 0 ||
            (comment[size] != '\0' && comment[size] != '(' && comment[size] != ' '))
            continue;
        comment += size;
        if (type == WEIR_DECIMAL && sscanf(comment, "(%9u,%9u)%n", &first, &second, &used) == 2 && used > 0)
            out->params = (weir_params){ .precision = first, .scale = second };
        else if (type == WEIR_STRING && sscanf(comment, "(%10u)%n", &first, &used) == 1 && used > 0)
            out->params = (weir_params){ .string_byte_length = first };
        comment += used;
        out->key = strcmp(comment, " KEY") == 0;
        if (*comment != '\0' && !out->key)
            return false;
        out->type = (weir_type)type;
        return true;
    }
    return false;
}

/* A column that was made by hand, or whose comment was changed. */
static void guess(const char *declared, weir_column *out)
{
    static const weir_type types[] = { WEIR_BOOLEAN,    WEIR_SHORT,          WEIR_INT,          WEIR_LONG,
                                       WEIR_FLOAT,      WEIR_DOUBLE,         WEIR_NAIVE_DATE,   WEIR_BINARY,
                                       WEIR_NAIVE_TIME, WEIR_NAIVE_DATETIME, WEIR_UTC_DATETIME, WEIR_JSON };

    out->type = WEIR_STRING;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(declared, table_declared(NULL, &(weir_column){ .type = types[i] })) == 0)
            out->type = types[i];
    if (sscanf(declared, "DECIMAL(%9u,%9u)", &out->params.precision, &out->params.scale) == 2)
        out->type = WEIR_DECIMAL;
}

static const char *comment_text(weir_call *call, const weir_column *column)
{
    const char *key = column->key ? " KEY" : "";
    const weir_params *params = &column->params;

    if (column->type == WEIR_DECIMAL && params->precision > 0)
        return weir_printf(call, "DECIMAL(%u,%u)%s", params->precision, params->scale, key);
    if (column->type == WEIR_STRING && params->string_byte_length > 0)
        return weir_printf(call, "STRING(%u)%s", params->string_byte_length, key);
    return weir_printf(call, "%s%s", weir_type_name(column->type ? column->type : WEIR_STRING), key);
}

/* --- reading --- */

static void fill_column(weir_call *call, store_result *from, stored_column *out)
{
    size_t prefix = strlen(COMPANION_COMMENT);

    *out = (stored_column){ .name = store_text(call, from, 0),
                            .declared = store_text(call, from, 1),
                            .comment = store_text(call, from, 2) };
    out->column.name = out->name;
    if (out->comment && strncmp(out->comment, COMPANION_COMMENT, prefix) == 0)
        out->base = out->comment + prefix;
    else if (out->comment == NULL || !read_comment(out->comment, &out->column))
        guess(out->declared, &out->column);
}

weir_status table_read(weir_call *call, const char *schema, const char *table, stored_table *out)
{
    store *s = weir_session(call);
    const char *doing = table_doing(call, "describe table", schema, table);
    stored_column *columns = NULL;
    size_t count = 0, room = 0;
    text sql = text_new(call);
    store_result result;
    weir_status status;

    text_put(&sql, "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE database_name = ");
    text_value(&sql, s->catalog);
    text_put(&sql, " AND schema_name = ");
    text_value(&sql, schema && schema[0] ? schema : "main");
    text_put(&sql, " AND table_name = ");
    text_value(&sql, table);
    text_put(&sql, " ORDER BY column_index");
    status = store_query(call, sql.data, doing, &result);
    while (status == WEIR_OK && store_next(&result)) {
        if (count == room) {
            stored_column *more = weir_alloc(call, (room * 2 + 16) * sizeof *more);

            if (count > 0)
                memcpy(more, columns, count * sizeof *more);
            columns = more;
            room = room * 2 + 16;
        }
        fill_column(call, &result, &columns[count++]);
    }
    store_finish(&result);
    if (status)
        return status;
    *out = (stored_table){ columns, count };
    return count ? WEIR_OK : WEIR_NOT_FOUND;
}

weir_status table_describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    stored_table stored;
    weir_column *columns;
    size_t count = 0;
    weir_status status = table_read(call, schema, table, &stored);

    if (status)
        return status;
    columns = weir_alloc(call, stored.count * sizeof *columns);
    for (size_t i = 0; i < stored.count; i++)
        if (stored.columns[i].base == NULL)
            columns[count++] = stored.columns[i].column;
    *out = (weir_table){ schema, table, columns, count };
    return WEIR_OK;
}

/* --- changing --- */

weir_status table_comment(weir_call *call, const weir_table *table, const weir_column *column,
                          const char *doing)
{
    text sql = text_new(call);

    text_put(&sql, "COMMENT ON COLUMN ");
    store_put_path(call, &sql, table->schema, table->name);
    text_put(&sql, ".");
    text_name(&sql, column->name);
    text_put(&sql, " IS ");
    text_value(&sql, comment_text(call, column));
    return store_run(call, sql.data, doing);
}

weir_status table_add_companion(weir_call *call, const weir_table *table, const char *base, const char *doing)
{
    const char *name = table_companion_name(call, base);
    text sql = text_new(call);

    text_put(&sql, "ALTER TABLE ");
    store_put_path(call, &sql, table->schema, table->name);
    text_put(&sql, " ADD COLUMN ");
    text_name(&sql, name);
    text_put(&sql, " SMALLINT DEFAULT 0; COMMENT ON COLUMN ");
    store_put_path(call, &sql, table->schema, table->name);
    text_put(&sql, ".");
    text_name(&sql, name);
    text_put(&sql, " IS ");
    text_value(&sql, weir_printf(call, COMPANION_COMMENT "%s", base));
    return store_run(call, sql.data, doing);
}

/* DuckDB compares names without regard to case (R-DST-08: then a clear error). */
static weir_status check_names(weir_call *call, const weir_table *table, const char *doing)
{
    store *s = weir_session(call);
    text sql = text_new(call);
    bool found = false;
    weir_status status;

    for (size_t i = 0; i < table->column_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(table->columns[i].name, table->columns[k].name) == 0)
                return weir_task(
                    call,
                    "Cannot %s: DuckDB cannot tell the columns '%s' and '%s' apart; their names differ in "
                    "case only. Deselect one of them.",
                    doing, table->columns[k].name, table->columns[i].name);
    text_put(&sql, "SELECT table_name FROM duckdb_tables() WHERE database_name = ");
    text_value(&sql, s->catalog);
    text_put(&sql, " AND lower(schema_name) = lower(");
    text_value(&sql, table->schema && table->schema[0] ? table->schema : "main");
    text_put(&sql, ") AND lower(table_name) = lower(");
    text_value(&sql, table->name);
    text_put(&sql, ")");
    status = store_has_row(call, sql.data, doing, &found);
    if (status == WEIR_OK && found)
        status = weir_task(
            call,
            "Cannot %s: DuckDB cannot tell it from a table that is there; the names differ in case only.",
            doing);
    return status;
}

static weir_status create(weir_call *call, const weir_table *table, const char *doing)
{
    stored_table stored;
    text sql = text_new(call);
    weir_status status = table_read(call, table->schema, table->name, &stored);

    if (status == WEIR_OK)
        return weir_fail(call, "Cannot %s: it exists already.", doing);
    if (status == WEIR_NOT_FOUND)
        status = check_names(call, table, doing);
    if (status)
        return status;
    text_put(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    store_put_path(call, &sql, table->schema, NULL);
    text_put(&sql, "; CREATE TABLE ");
    store_put_path(call, &sql, table->schema, table->name);
    for (size_t i = 0; i < table->column_count; i++) {
        text_put(&sql, i == 0 ? " (" : ", ");
        text_name(&sql, table->columns[i].name);
        text_printf(&sql, " %s", table_declared(call, &table->columns[i]));
    }
    text_put(&sql, ")");
    status = store_run(call, sql.data, doing);
    for (size_t i = 0; status == WEIR_OK && i < table->column_count; i++)
        status = table_comment(call, table, &table->columns[i], doing);
    return status;
}

weir_status table_create(weir_call *call, const weir_table *table)
{
    const char *doing = table_doing(call, "create table", table->schema, table->name);
    weir_status status = store_begin(call, STORE_CREATION);

    return status ? status : store_end(call, create(call, table, doing));
}

/* Rows before the cut-off, to the nanosecond (R-DST-04). */
static void put_older(weir_call *call, text *sql, const stored_column *synced, bool companion,
                      weir_time before)
{
    /* Beyond these the product would not fit; DuckDB's own range is smaller. */
    int64_t seconds = before.seconds < -INT64_C(1000000000000)  ? -INT64_C(1000000000000)
                      : before.seconds > INT64_C(1000000000000) ? INT64_C(1000000000000)
                                                                : before.seconds;
    int64_t micros = seconds * 1000000 + before.nanos / 1000;
    int nanos = before.nanos % 1000;

    (void)call;
    text_put(sql, " WHERE epoch_us(");
    text_name(sql, synced->name);
    text_printf(sql, ")%s %lld", nanos > 0 && !companion ? " <=" : " <", (long long)micros);
    if (nanos == 0 || !companion)
        return;
    text_put(sql, " OR (epoch_us(");
    text_name(sql, synced->name);
    text_printf(sql, ") = %lld AND ", (long long)micros);
    text_name(sql, table_companion_name(call, synced->name));
    text_printf(sql, " < %d)", nanos);
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *doing = table_doing(call, "truncate table", what->schema, what->table);
    const stored_column *synced;
    stored_table stored;
    text sql = text_new(call);
    weir_status status = table_read(call, what->schema, what->table, &stored);

    if (status)
        return status;
    synced = table_stored_column(&stored, what->synced_column);
    if (synced == NULL ||
        (synced->column.type != WEIR_UTC_DATETIME && synced->column.type != WEIR_NAIVE_DATETIME))
        return weir_fail(call, "Cannot %s: it has no column '%s' of type UTC_DATETIME.", doing,
                         what->synced_column);
    if (what->deleted_column && table_stored_column(&stored, what->deleted_column) == NULL)
        return weir_fail(call, "Cannot %s: it has no column '%s'.", doing, what->deleted_column);
    text_put(&sql, what->deleted_column ? "UPDATE " : "DELETE FROM ");
    store_put_path(call, &sql, what->schema, what->table);
    if (what->deleted_column) {
        text_put(&sql, " SET ");
        text_name(&sql, what->deleted_column);
        text_put(&sql, " = true");
    }
    put_older(call, &sql, synced, table_companion(&stored, what->synced_column) != NULL, what->before);
    return store_run(call, sql.data, doing);
}

weir_status table_truncate(weir_call *call, const weir_truncation *what)
{
    weir_status status = store_begin(call, table_doing(call, "", what->schema, what->table));

    return status ? status : store_end(call, truncate_rows(call, what));
}
