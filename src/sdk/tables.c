/* sdk/tables: plain copying between two shapes of the same facts, with every check in one place. */
#include "sdk/tables.h"

#include <string.h>

#include <weir/destination.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"
#include "data/table.h"

weir_status weir__name_from_wire(weir_bytes name, const char *what, weir_arena *arena, const char **out,
                                 weir_error *err)
{
    const char *copy;

    if (name.size == 0)
        return weir__error(err, "the request names no %s", what);
    if (name.size > WEIR_NAME_SIZE_MAX)
        return weir__error(err, "the %s name of the request has %zu bytes; at most %zu are allowed", what,
                           name.size, WEIR_NAME_SIZE_MAX);
    if (memchr(name.data, '\0', name.size) != NULL)
        return weir__error(err, "the %s name of the request contains a NUL byte", what);
    copy = weir__arena_copy(arena, name.data, name.size);
    if (copy == NULL)
        return weir__error_memory(err, "reading the request");
    *out = copy;
    return WEIR_OK;
}

weir_params weir__decimal_bounds(weir_params asked)
{
    weir_params out = asked;

    if (out.precision > WEIR_DECIMAL_DIGITS_MAX && out.scale <= out.precision) {
        out.precision = WEIR_DECIMAL_DIGITS_MAX;
        out.scale = out.scale < WEIR_DECIMAL_DIGITS_MAX ? out.scale : WEIR_DECIMAL_DIGITS_MAX;
    }
    return out;
}

static weir_status column_from_wire(const v2_column *in, weir_arena *arena, weir_column *out, weir_error *err)
{
    const v2_data_type_params *params = in->params;

    if (weir__name_from_wire(in->name, "column", arena, &out->name, err) != WEIR_OK)
        return WEIR_FAILED;
    if (in->type < 0 || in->type >= WEIR_TYPE_COUNT)
        return weir__error(err, "column '%s' has the unknown type %d", out->name, (int)in->type);
    out->type = (weir_type)in->type;
    out->key = in->primary_key;
    if (params != NULL && params->which_params == V2_DATA_TYPE_PARAMS_DECIMAL &&
        params->params.decimal != NULL) {
        out->params = weir__decimal_bounds((weir_params){ .precision = params->params.decimal->precision,
                                                          .scale = params->params.decimal->scale });
    } else if (params != NULL && params->which_params == V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH &&
               params->params.string_byte_length > 0) {
        out->params.string_byte_length = (uint32_t)params->params.string_byte_length;
    }
    return WEIR_OK;
}

weir_status weir__table_from_wire(weir_bytes schema, const v2_table *table, weir_arena *arena,
                                  weir_table *out, weir_error *err)
{
    weir_table made = { 0 };
    weir_column *columns;

    if (table == NULL)
        return weir__error(err, "the request has no table");
    if (table->columns_count > WEIR_COLUMN_COUNT_MAX)
        return weir__error(err, "the table of the request has %zu columns; at most %zu are allowed",
                           table->columns_count, WEIR_COLUMN_COUNT_MAX);
    if (schema.size > 0 && weir__name_from_wire(schema, "schema", arena, &made.schema, err) != WEIR_OK)
        return WEIR_FAILED;
    if (weir__name_from_wire(table->name, "table", arena, &made.name, err) != WEIR_OK)
        return WEIR_FAILED;
    columns = weir__arena_array(arena, table->columns_count, sizeof *columns);
    if (columns == NULL)
        return weir__error_memory(err, "reading the request");
    for (size_t i = 0; i < table->columns_count; i++)
        if (column_from_wire(&table->columns[i], arena, &columns[i], err) != WEIR_OK) {
            weir__error_prefix(err, "table '%s'", made.name);
            return WEIR_FAILED;
        }
    made.columns = columns;
    made.column_count = table->columns_count;
    if (weir__table_check(&made, err) != WEIR_OK)
        return WEIR_FAILED;
    *out = made;
    return WEIR_OK;
}

const weir_column *const *weir_table_keys(weir_call *call, const weir_table *table, size_t *count)
{
    const weir_column **keys = weir_alloc(call, table->column_count * sizeof *keys + 1);

    *count = 0;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].key && strcmp(table->columns[i].name, "_fivetran_start") != 0)
            keys[(*count)++] = &table->columns[i];
    return keys;
}

const weir_table *weir_changes_table(weir_call *call, const weir_table *wanted, const weir_changes *changes)
{
    weir_table *table = weir_alloc(call, sizeof *table);
    weir_column *columns = weir_alloc(call, (wanted->column_count + changes->count) * sizeof *columns + 1);

    *table = *wanted;
    table->columns = columns;
    for (size_t i = 0; i < wanted->column_count; i++)
        columns[i] = wanted->columns[i];
    for (size_t i = 0; i < changes->count; i++)
        if (changes->items[i].kind == WEIR_KEEP_COLUMN) {
            columns[table->column_count] = *changes->items[i].old;
            columns[table->column_count++].key = false;
        }
    return table;
}

static char *put_quoted(char *at, const char *name)
{
    *at++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *at++ = '"';
        *at++ = *name;
    }
    *at++ = '"';
    return at;
}

const char *weir_table_path(weir_call *call, const char *schema, const char *table)
{
    bool both = schema != NULL && schema[0] != '\0';
    char *path = weir_alloc(call, 2 * ((both ? strlen(schema) : 0) + strlen(table)) + 6);
    char *at = path;

    if (both) {
        at = put_quoted(at, schema);
        *at++ = '.';
    }
    *put_quoted(at, table) = '\0';
    return path;
}

static bool params_to_wire(const weir_column *column, weir_arena *arena, const v2_data_type_params **out)
{
    bool decimal = column->type == WEIR_DECIMAL && column->params.precision > 0;
    bool string = column->type == WEIR_STRING && column->params.string_byte_length > 0;
    v2_data_type_params *params;

    if (!decimal && !string)
        return true;
    params = weir__arena_alloc(arena, sizeof *params);
    if (params == NULL)
        return false;
    if (decimal) {
        v2_decimal_params *bounds = weir__arena_alloc(arena, sizeof *bounds);

        if (bounds == NULL)
            return false;
        *bounds = (v2_decimal_params){ .precision = column->params.precision, .scale = column->params.scale };
        params->which_params = V2_DATA_TYPE_PARAMS_DECIMAL;
        params->params.decimal = bounds;
    } else {
        uint32_t length = column->params.string_byte_length;

        params->which_params = V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH;
        params->params.string_byte_length = length > INT32_MAX ? INT32_MAX : (int32_t)length;
    }
    *out = params;
    return true;
}

bool weir__table_to_wire(const weir_table *table, weir_arena *arena, v2_table *out)
{
    v2_column *columns = weir__arena_array(arena, table->column_count, sizeof *columns);

    if (columns == NULL)
        return false;
    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        columns[i].name = weir__text(column->name);
        columns[i].type = (int32_t)column->type;
        columns[i].primary_key = column->key;
        if (!params_to_wire(column, arena, &columns[i].params))
            return false;
    }
    *out = (v2_table){ .name = weir__text(table->name),
                       .columns = columns,
                       .columns_count = table->column_count };
    return true;
}

static weir_status check_name(const char *name, const char *what, weir_error *err)
{
    size_t size = name ? strlen(name) : 0;

    if (size == 0)
        return weir__error(err, "a table has no %s", what);
    if (size > WEIR_NAME_SIZE_MAX)
        return weir__error(err, "the %s '%.64s…' has %zu bytes; at most %zu are allowed", what, name, size,
                           WEIR_NAME_SIZE_MAX);
    if (!weir__utf8_valid(name, size))
        return weir__error(err, "a %s is not UTF-8", what);
    return WEIR_OK;
}

weir_status weir__source_table_check(const weir_table *table, weir_error *err)
{
    if (check_name(table->name, "table name", err) != WEIR_OK)
        return WEIR_FAILED;
    if (weir__table_has_schema(table) && check_name(table->schema, "schema name", err) != WEIR_OK)
        return WEIR_FAILED;
    if (table->column_count == 0)
        return WEIR_OK; /* columns may appear with their values (R-SRC-08) */
    if (weir__table_check(table, err) != WEIR_OK)
        return WEIR_FAILED;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == WEIR_NAIVE_TIME)
            return weir__error(
                err, "table '%s', column '%s': NAIVE_TIME is not allowed from a source; send a STRING",
                table->name, table->columns[i].name);
    return WEIR_OK;
}

/* Makes room for one more table; NULL when out of memory. */
static const weir_table **grow(weir_schema *out)
{
    size_t capacity = out->capacity ? out->capacity * 2 : 16;
    const weir_table **tables;

    if (out->count < out->capacity)
        return out->tables;
    tables = weir__arena_array(out->call->arena, capacity, sizeof(const weir_table *));
    if (tables == NULL)
        return NULL;
    if (out->count > 0)
        memcpy(tables, out->tables, out->count * sizeof(const weir_table *));
    out->tables = tables;
    out->capacity = capacity;
    return tables;
}

weir_status weir_schema_add(weir_schema *out, const weir_table *table)
{
    weir_error err;
    weir_table *copy;

    if (out->failure != WEIR_OK)
        return out->failure;
    if (weir__source_table_check(table, &err) != WEIR_OK)
        return out->failure = weir__call_fail_error(out->call, &err);
    if (out->count == WEIR_TABLE_COUNT_MAX)
        return out->failure = weir__call_fail(out->call, WEIR_FAILED, "the source has more than %zu tables",
                                              WEIR_TABLE_COUNT_MAX);
    copy = weir__table_copy(table, out->call->arena);
    if (copy == NULL || grow(out) == NULL)
        return out->failure = weir__call_fail(out->call, WEIR_FAILED, "out of memory listing the tables");
    out->tables[out->count++] = copy;
    return WEIR_OK;
}

/* All tables have a schema, or none has (R-SRC-05 could not be answered otherwise); no table twice. */
static weir_status check_tables(const weir_table *const *tables, size_t count, weir_arena *arena,
                                weir_error *err)
{
    weir_status status = WEIR_OK;
    weir_map names;

    weir__map_init(&names, 0);
    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        const char *schema = weir__table_has_schema(tables[i]) ? tables[i]->schema : "";
        char *pair;

        if (weir__table_has_schema(tables[i]) != weir__table_has_schema(tables[0])) {
            status = weir__error(err,
                                 "table '%s' %s a schema and table '%s' %s; all tables have one, or none has",
                                 tables[0]->name, weir__table_has_schema(tables[0]) ? "has" : "lacks",
                                 tables[i]->name, weir__table_has_schema(tables[i]) ? "has" : "lacks");
            break;
        }
        pair = weir__arena_printf(arena, "%s%c%s", schema, 0, tables[i]->name);
        if (pair == NULL) {
            status = weir__error_memory(err, "listing the tables");
        } else {
            weir_bytes key = { pair, strlen(schema) + 1 + strlen(tables[i]->name) };

            if (weir__map_get(&names, key) != NULL)
                status = weir__error(err, "table '%s%s%s' is listed twice", schema, schema[0] ? "." : "",
                                     tables[i]->name);
            else if (!weir__map_put(&names, key, pair))
                status = weir__error_memory(err, "listing the tables");
        }
    }
    weir__map_clear(&names);
    return status;
}

/* Tables that share a schema name are put under one schema, in order of first appearance. */
static bool group(const weir_table *const *tables, size_t count, weir_arena *arena, v2_schema_list *out)
{
    v2_schema *schemas = weir__arena_array(arena, count, sizeof *schemas);
    size_t *members = weir__arena_array(arena, count, sizeof *members); /* the schema of each table */
    weir_map index;
    size_t found = 0;
    bool done = false;

    weir__map_init(&index, 0);
    if (schemas == NULL || members == NULL)
        goto out;
    for (size_t i = 0; i < count; i++) {
        weir_bytes name = weir__text(tables[i]->schema);
        size_t at = (size_t)(uintptr_t)weir__map_get(&index, name);

        if (at == 0) {
            at = ++found;
            schemas[at - 1].name = name;
            if (!weir__map_put(&index, name, (void *)(uintptr_t)at))
                goto out;
        }
        members[i] = at - 1;
        schemas[at - 1].tables_count++;
    }
    for (size_t i = 0; i < found; i++) {
        schemas[i].tables = weir__arena_array(arena, schemas[i].tables_count, sizeof(v2_table));
        schemas[i].tables_count = 0;
        if (schemas[i].tables == NULL)
            goto out;
    }
    for (size_t i = 0; i < count; i++) {
        v2_schema *schema = &schemas[members[i]];

        if (!weir__table_to_wire(tables[i], arena, (v2_table *)&schema->tables[schema->tables_count++]))
            goto out;
    }
    *out = (v2_schema_list){ .schemas = schemas, .schemas_count = found };
    done = true;
out:
    weir__map_clear(&index);
    return done;
}

static bool list(const weir_table *const *tables, size_t count, weir_arena *arena, v2_table_list *out)
{
    v2_table *items = weir__arena_array(arena, count, sizeof *items);

    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!weir__table_to_wire(tables[i], arena, &items[i]))
            return false;
    *out = (v2_table_list){ .tables = items, .tables_count = count };
    return true;
}

weir_status weir__schema_to_wire(const weir_table *const *tables, size_t count, weir_arena *arena,
                                 v2_schema_response *out, weir_error *err)
{
    v2_schema_list *with = weir__arena_alloc(arena, sizeof *with);
    v2_table_list *without = weir__arena_alloc(arena, sizeof *without);

    if (with == NULL || without == NULL)
        return weir__error_memory(err, "listing the tables");
    if (check_tables(tables, count, arena, err) != WEIR_OK)
        return WEIR_FAILED;
    if (count > 0 && weir__table_has_schema(tables[0])) {
        if (!group(tables, count, arena, with))
            return weir__error_memory(err, "listing the tables");
        out->which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA;
        out->response.with_schema = with;
    } else {
        if (!list(tables, count, arena, without))
            return weir__error_memory(err, "listing the tables");
        out->which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
        out->response.without_schema = without;
    }
    return WEIR_OK;
}

weir_status weir__schema_change_to_wire(const weir_table *table, weir_arena *arena, v2_schema_change *out,
                                        weir_error *err)
{
    v2_schema_response reply = { 0 };
    weir_status status = weir__schema_to_wire(&table, 1, arena, &reply, err);

    if (status != WEIR_OK)
        return status;
    if (reply.which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA) {
        out->which_change = V2_SCHEMA_CHANGE_WITH_SCHEMA;
        out->change.with_schema = reply.response.with_schema;
    } else {
        out->which_change = V2_SCHEMA_CHANGE_WITHOUT_SCHEMA;
        out->change.without_schema = reply.response.without_schema;
    }
    return WEIR_OK;
}
