/*
 * tester/input: see input.h. Each kind of migration is a row of a table: its fields, and what becomes of it.
 */
#include "tester/input.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/number.h"
#include "data/table.h"
#include "data/type.h"

#define ROW_DEPTH 5 /* root, ops, operation, its tables, rows, row */

typedef struct parser {
    const input_text *text;
    const input_rules *rules;
    weir_arena *arena;
    input_file *out;
    weir_error *err;
} parser;

/* --- complaints --- */

weir_status input_complain(const input_text *text, const input_rules *rules, const input_value *at,
                           bool at_key, weir_error *err, const char *format, ...)
{
    char what[WEIR_ERROR_TEXT_SIZE];
    weir_error told;
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!rules->lenient)
        return input_error(text, at, at_key, err, "%s", what);
    (void)input_error(text, at, at_key, &told, "%s", what);
    if (rules->tell != NULL)
        rules->tell(rules->context, told.text);
    return WEIR_OK;
}

static weir_status expected(parser *p, const input_value *at, const char *what)
{
    return input_error(p->text, at, false, p->err, "expected %s, found %s", what, input_kind_name(at->kind));
}

static weir_status memory(parser *p)
{
    return weir__error_memory(p->err, "reading an input file");
}

static weir_status unknown_key(parser *p, const input_value *member, const char *known)
{
    return input_complain(p->text, p->rules, member, true, p->err, "this key is not known here; expected %s",
                          known);
}

/* The same key twice: the last one would silently count. */
static weir_status check_doubled(parser *p, const input_value *object)
{
    weir_status status = WEIR_OK;
    weir_map seen;

    weir__map_init(&seen, 0);
    for (const input_value *m = object->first; m != NULL && status == WEIR_OK; m = m->next) {
        if (weir__map_get(&seen, m->key) != NULL)
            status = input_complain(p->text, p->rules, m, true, p->err, "this key is there twice");
        else if (!weir__map_put(&seen, m->key, (void *)(uintptr_t)m))
            status = memory(p);
    }
    weir__map_clear(&seen);
    return status;
}

static weir_status as_object(parser *p, const input_value *value, const char *what)
{
    if (value->kind != INPUT_OBJECT)
        return expected(p, value, what);
    return check_doubled(p, value);
}

static bool is_key(const input_value *member, const char *name)
{
    return weir__bytes_equal(member->key, weir__text(name));
}

/* --- names --- */

static weir_status take_name(parser *p, const input_value *at, bool at_key, weir_bytes name, const char **out)
{
    char *copy;

    if (name.size == 0 || name.size > WEIR_NAME_SIZE_MAX || memchr(name.data, '\0', name.size) != NULL)
        return input_error(p->text, at, at_key, p->err,
                           "a name has 1 to %zu bytes and no NUL, this one has %zu bytes", WEIR_NAME_SIZE_MAX,
                           name.size);
    copy = weir__arena_copy(p->arena, name.data, name.size);
    if (copy == NULL)
        return memory(p);
    *out = copy;
    return WEIR_OK;
}

static weir_status take_key(parser *p, const input_value *member, const char **out)
{
    return take_name(p, member, true, member->key, out);
}

static weir_status take_text_name(parser *p, const input_value *value, const char **out)
{
    if (value->kind != INPUT_STRING)
        return expected(p, value, "a name");
    return take_name(p, value, false, value->text, out);
}

/* --- columns --- */

static weir_status take_bound(parser *p, const input_value *value, int64_t least, int64_t most, uint32_t *out)
{
    int64_t number = -1;

    if (value->kind != INPUT_NUMBER || !weir__integer_parse(value->text.data, value->text.size, &number) ||
        number < least || number > most)
        return input_error(p->text, value, false, p->err, "expected a whole number from %lld to %lld",
                           (long long)least, (long long)most);
    *out = (uint32_t)number;
    return WEIR_OK;
}

static weir_status take_type_name(parser *p, const input_value *value, weir_type *out)
{
    weir_type type;

    if (value->kind != INPUT_STRING)
        return expected(p, value,
                        "a type: \"INT\", or {\"type\": \"DECIMAL\", \"precision\": 10, \"scale\": 2}");
    type = weir__type_from_name(value->text);
    if (type != WEIR_UNSPECIFIED) {
        *out = type;
        return WEIR_OK;
    }
    if (!weir__bytes_equal(value->text, weir__text("UNSPECIFIED")))
        return input_error(
            p->text, value, false, p->err,
            "'%.*s' is no type; expected BOOLEAN, SHORT, INT, LONG, DECIMAL, FLOAT, DOUBLE, "
            "NAIVE_DATE, NAIVE_TIME, NAIVE_DATETIME, UTC_DATETIME, BINARY, XML, STRING or JSON",
            value->text.size > 60 ? 60 : (int)value->text.size, value->text.data);
    *out = WEIR_STRING;
    return input_complain(p->text, p->rules, value, false, p->err,
                          "UNSPECIFIED never reaches a destination; STRING is meant");
}

static weir_status check_decimal(parser *p, const input_value *value, weir_params *params)
{
    if (value->kind != INPUT_OBJECT || input_member(value, "scale") == NULL)
        return WEIR_OK;
    if (params->precision == 0 || params->scale > params->precision)
        return input_error(
            p->text, value, false, p->err,
            "a DECIMAL has a precision of 1 to %d and a scale of at most its precision, not (%u,%u)",
            WEIR_DECIMAL_DIGITS_MAX, params->precision, params->scale);
    return WEIR_OK;
}

/* TYPE, or an object with the type and its bounds. */
static weir_status take_type(parser *p, const input_value *value, weir_type *type, weir_params *params)
{
    const input_value *name = value->kind == INPUT_OBJECT ? input_member(value, "type") : value;
    weir_status status;

    *params = (weir_params){ 0 };
    if (name == NULL)
        return input_error(p->text, value, false, p->err, "the key \"type\" is missing");
    status = take_type_name(p, name, type);
    if (status != WEIR_OK || name == value)
        return status;
    status = check_doubled(p, value);
    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next) {
        if (is_key(m, "type"))
            continue;
        if (*type == WEIR_DECIMAL && is_key(m, "precision"))
            status = take_bound(p, m, 1, WEIR_DECIMAL_DIGITS_MAX, &params->precision);
        else if (*type == WEIR_DECIMAL && is_key(m, "scale"))
            status = take_bound(p, m, 0, WEIR_DECIMAL_DIGITS_MAX, &params->scale);
        else if (*type == WEIR_STRING && is_key(m, "string_byte_length"))
            status = take_bound(p, m, 0, INT32_MAX, &params->string_byte_length);
        else
            status = unknown_key(p, m,
                                 *type == WEIR_DECIMAL  ? "type, precision, scale"
                                 : *type == WEIR_STRING ? "type, string_byte_length"
                                                        : "type alone: this type has no bounds");
    }
    return status == WEIR_OK && *type == WEIR_DECIMAL ? check_decimal(p, value, params) : status;
}

static weir_status take_columns(parser *p, const input_value *value, input_table *table)
{
    weir_column *columns = weir__arena_array(p->arena, value->count, sizeof *columns);
    size_t count = 0;
    weir_status status = as_object(p, value, "an object of columns: {\"id\": \"INT\"}");

    if (status == WEIR_OK && columns == NULL)
        status = memory(p);
    if (status == WEIR_OK && value->count > WEIR_COLUMN_COUNT_MAX - 8)
        status = input_error(p->text, value, false, p->err, "a table has at most %zu columns",
                             WEIR_COLUMN_COUNT_MAX - 8);
    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next) {
        weir_column *column = &columns[count];

        status = take_key(p, m, &column->name);
        if (status == WEIR_OK && weir__name_is_system(column->name)) {
            status = input_complain(
                p->text, p->rules, m, true, p->err,
                "names that begin with _fivetran_ are system columns, which the tester adds");
            continue;
        }
        if (status == WEIR_OK)
            status = take_type(p, m, &column->type, &column->params);
        count++;
    }
    table->table.columns = columns;
    table->table.column_count = count;
    return status;
}

static weir_status take_primary_key(parser *p, const input_value *value, const input_table *table)
{
    /* The columns are the parser's own until the file has been read. */
    weir_column *columns = (weir_column *)(uintptr_t)table->table.columns;

    if (value->kind != INPUT_ARRAY)
        return expected(p, value, "an array of column names");
    for (const input_value *m = value->first; m != NULL; m = m->next) {
        size_t at = m->kind == INPUT_STRING ? weir__table_find(&table->table, m->text) : SIZE_MAX;
        weir_status status;

        if (m->kind != INPUT_STRING)
            return expected(p, m, "a column's name");
        if (at == SIZE_MAX) {
            status = input_complain(p->text, p->rules, m, false, p->err, "the table has no column '%.*s'",
                                    m->text.size > 60 ? 60 : (int)m->text.size, m->text.data);
        } else {
            status = columns[at].key ? input_complain(p->text, p->rules, m, false, p->err,
                                                      "this column is in the key twice")
                                     : WEIR_OK;
            columns[at].key = true;
        }
        if (status != WEIR_OK)
            return status;
    }
    return WEIR_OK;
}

static weir_status take_table(parser *p, const input_value *value, input_table *table)
{
    const input_value *columns;
    const input_value *key;
    weir_status status = take_key(p, value, &table->table.name);

    table->at = value;
    if (status == WEIR_OK)
        status = as_object(p, value, "an object: {\"columns\": {…}, \"primary_key\": […]}");
    if (status != WEIR_OK)
        return status;
    columns = input_member(value, "columns");
    if (columns == NULL)
        return input_error(p->text, value, true, p->err, "the key \"columns\" is missing");
    status = take_columns(p, columns, table);
    key = input_member(value, "primary_key");
    if (status == WEIR_OK && key != NULL)
        status = take_primary_key(p, key, table);
    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next) {
        if (is_key(m, "history_mode")) {
            table->history = m->kind == INPUT_TRUE;
            if (m->kind != INPUT_TRUE && m->kind != INPUT_FALSE)
                status = expected(p, m, "true or false");
        } else if (!is_key(m, "columns") && !is_key(m, "primary_key")) {
            status = unknown_key(p, m, "columns, primary_key, history_mode");
        }
    }
    return status;
}

static weir_status take_tables(parser *p, const input_value *value, const input_table **out, size_t *count)
{
    input_table *tables = weir__arena_array(p->arena, value->count, sizeof *tables);
    weir_status status = as_object(p, value, "an object of tables");

    if (status == WEIR_OK && tables == NULL)
        status = memory(p);
    *out = tables;
    *count = 0;
    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next)
        status = take_table(p, m, &tables[(*count)++]);
    return status;
}

/* --- operations --- */

static const struct {
    const char *name;
    input_op op;
} operations[] = {
    { "upsert", INPUT_UPSERT },
    { "update", INPUT_UPDATE },
    { "delete", INPUT_DELETE },
    { "soft_delete", INPUT_SOFT_DELETE },
    { "truncate_before", INPUT_TRUNCATE },
    { "truncate", INPUT_TRUNCATE }, /* an older name */
    { "soft_truncate_before", INPUT_SOFT_TRUNCATE },
};

#define OPERATION_COUNT (sizeof operations / sizeof operations[0])

/* How many steps `ops` makes, at most. */
static size_t count_steps(const input_value *ops)
{
    size_t count = 0;

    for (const input_value *entry = ops->first; entry != NULL; entry = entry->next)
        for (const input_value *m = entry->first; m != NULL; m = m->next)
            count += m->count;
    return count;
}

static weir_status take_truncates(parser *p, const input_value *value, const input_step *like,
                                  input_step *steps, size_t *count)
{
    weir_status status = value->kind == INPUT_ARRAY ? WEIR_OK : expected(p, value, "an array of table names");

    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next) {
        steps[*count] = *like;
        steps[*count].at = m;
        status = take_text_name(p, m, &steps[(*count)++].table);
    }
    return status;
}

static weir_status take_rows(parser *p, const input_value *value, const input_step *like, input_step *steps,
                             size_t *count)
{
    weir_status status = as_object(p, value, "an object of tables with their rows: {\"t\": [{\"id\": 1}]}");

    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next) {
        input_step *step = &steps[(*count)++];

        *step = *like;
        step->at = m;
        step->rows = m;
        status = take_key(p, m, &step->table);
        if (status == WEIR_OK && m->kind != INPUT_ARRAY)
            status = expected(p, m, "an array of rows");
        for (const input_value *row = m->first; row != NULL && status == WEIR_OK; row = row->next)
            if (row->kind != INPUT_RAW)
                status = expected(p, row, "an object: a row");
    }
    return status;
}

static weir_status take_operation(parser *p, const input_value *member, size_t number, input_step *steps,
                                  size_t *count)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        input_step like = { .op = operations[i].op, .operation = number };

        if (!is_key(member, operations[i].name))
            continue;
        return like.op == INPUT_TRUNCATE || like.op == INPUT_SOFT_TRUNCATE
                   ? take_truncates(p, member, &like, steps, count)
                   : take_rows(p, member, &like, steps, count);
    }
    return unknown_key(p, member,
                       "upsert, update, delete, soft_delete, truncate_before or soft_truncate_before");
}

static weir_status take_ops(parser *p, const input_value *value)
{
    input_step *steps = weir__arena_array(p->arena, count_steps(value), sizeof *steps);
    size_t number = 0;
    weir_status status = value->kind == INPUT_ARRAY ? WEIR_OK : expected(p, value, "an array of operations");

    if (status == WEIR_OK && steps == NULL)
        status = memory(p);
    for (const input_value *entry = value->first; entry != NULL && status == WEIR_OK; entry = entry->next) {
        status = as_object(p, entry, "an object: {\"upsert\": {…}}");
        for (const input_value *m = entry->first; m != NULL && status == WEIR_OK; m = m->next)
            status = take_operation(p, m, number++, steps, &p->out->step_count);
    }
    p->out->steps = steps;
    return status;
}

/* --- migrations --- */

enum {
    TABLE = 1,
    COLUMN = 2,
    DATA_TYPE = 4,
    DEFAULT_VALUE = 8,
    VALUE = 16,
    FROM_COLUMN = 32,
    TO_COLUMN = 64,
    FROM_TABLE = 128,
    TO_TABLE = 256,
    TIMESTAMP = 512,
    DELETED_COLUMN = 1024,
    KEEP_DELETED = 2048,
    KEEP_INACTIVE = 4096
};

static const struct {
    const char *name;
    unsigned field;
} fields[] = {
    { "table", TABLE },
    { "column", COLUMN },
    { "data_type", DATA_TYPE },
    { "default_value", DEFAULT_VALUE },
    { "value", VALUE },
    { "from_column", FROM_COLUMN },
    { "to_column", TO_COLUMN },
    { "from_table", FROM_TABLE },
    { "to_table", TO_TABLE },
    { "operation_timestamp", TIMESTAMP },
    { "deleted_column", DELETED_COLUMN },
    { "keep_deleted_rows", KEEP_DELETED },
    { "keep_inactive_rows", KEEP_INACTIVE },
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

typedef struct kind {
    const char *name;
    input_migration_kind kind;
    weir_migration_kind operation;
    const char *live;
    unsigned required;
    unsigned optional;
} kind;

static const kind kinds[] = {
    { "add_column", INPUT_ADD_COLUMN, 0, NULL, TABLE | COLUMN | DATA_TYPE, 0 },
    { "change_column_data_type", INPUT_CHANGE_TYPE, 0, NULL, TABLE | COLUMN | DATA_TYPE, 0 },
    { "drop_column", INPUT_DROP_COLUMN, 0, NULL, TABLE | COLUMN, 0 },
    { "copy_column", INPUT_MIGRATE, WEIR_MIGRATE_COPY_COLUMN, NULL, TABLE | FROM_COLUMN | TO_COLUMN, 0 },
    { "update_column_value", INPUT_MIGRATE, WEIR_MIGRATE_UPDATE_COLUMN, NULL, TABLE | COLUMN | VALUE, 0 },
    { "set_column_to_null", INPUT_MIGRATE, WEIR_MIGRATE_UPDATE_COLUMN, NULL, TABLE | COLUMN, 0 },
    { "add_column_with_default_value", INPUT_MIGRATE, WEIR_MIGRATE_ADD_COLUMN_DEFAULT, NULL,
      TABLE | COLUMN | DATA_TYPE | DEFAULT_VALUE, 0 },
    { "copy_table", INPUT_MIGRATE, WEIR_MIGRATE_COPY_TABLE, NULL, FROM_TABLE | TO_TABLE, 0 },
    { "rename_column", INPUT_MIGRATE, WEIR_MIGRATE_RENAME_COLUMN, NULL, TABLE | FROM_COLUMN | TO_COLUMN, 0 },
    { "rename_table", INPUT_MIGRATE, WEIR_MIGRATE_RENAME_TABLE, NULL, FROM_TABLE | TO_TABLE, 0 },
    { "drop_table", INPUT_MIGRATE, WEIR_MIGRATE_DROP_TABLE, NULL, TABLE, 0 },
    { "add_column_in_history_mode", INPUT_MIGRATE, WEIR_MIGRATE_ADD_COLUMN_HISTORY, NULL,
      TABLE | COLUMN | DATA_TYPE | DEFAULT_VALUE | TIMESTAMP, 0 },
    { "drop_column_in_history_mode", INPUT_MIGRATE, WEIR_MIGRATE_DROP_COLUMN_HISTORY, NULL,
      TABLE | COLUMN | TIMESTAMP, 0 },
    { "copy_table_to_history_mode", INPUT_MIGRATE, WEIR_MIGRATE_COPY_TABLE_TO_HISTORY, NULL,
      FROM_TABLE | TO_TABLE, DELETED_COLUMN },
    { "migrate_soft_delete_to_history", INPUT_MIGRATE, WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY, NULL, TABLE,
      DELETED_COLUMN },
    { "migrate_history_to_soft_delete", INPUT_MIGRATE, WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE, NULL, TABLE,
      DELETED_COLUMN },
    { "migrate_soft_delete_to_live", INPUT_LIVE, 0, "Soft delete to Live", TABLE,
      DELETED_COLUMN | KEEP_DELETED | KEEP_INACTIVE },
    { "migrate_history_to_live", INPUT_LIVE, 0, "History to Live", TABLE,
      DELETED_COLUMN | KEEP_DELETED | KEEP_INACTIVE },
    { "migrate_live_to_soft_delete", INPUT_LIVE, 0, "Live to Soft delete", TABLE,
      DELETED_COLUMN | KEEP_DELETED | KEEP_INACTIVE },
    { "migrate_live_to_history", INPUT_LIVE, 0, "Live to History", TABLE,
      DELETED_COLUMN | KEEP_DELETED | KEEP_INACTIVE },
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

/* A value as text: of a string, a number or a boolean; null, or the text NULL, is none (R-MIG-03). */
static weir_status take_value_text(parser *p, const input_value *value, weir_bytes *out)
{
    weir_bytes text = value->text;

    switch (value->kind) {
    case INPUT_STRING:
    case INPUT_NUMBER:
        break;
    case INPUT_TRUE:
        text = weir__text("true");
        break;
    case INPUT_FALSE:
        text = weir__text("false");
        break;
    case INPUT_NULL:
        return WEIR_OK;
    default:
        return expected(p, value, "a string, a number, a boolean or null");
    }
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL)
        return input_error(p->text, value, false, p->err, "a value here has no NUL character");
    if (text.size == 4 && memcmp(text.data, "NULL", 4) == 0)
        return WEIR_OK;
    *out = (weir_bytes){ weir__arena_copy(p->arena, text.data, text.size), text.size };
    return out->data != NULL ? WEIR_OK : memory(p);
}

static weir_status take_timestamp(parser *p, const input_value *value, weir_time *out)
{
    if (value->kind == INPUT_STRING &&
        weir_time_parse(WEIR_UTC_DATETIME, value->text.data, value->text.size, out))
        return WEIR_OK;
    return input_error(p->text, value, false, p->err, "expected a time like \"2024-05-28T20:57:00Z\"");
}

static weir_status take_flag(parser *p, const input_value *value, bool *out)
{
    *out = value->kind == INPUT_TRUE;
    return value->kind == INPUT_TRUE || value->kind == INPUT_FALSE ? WEIR_OK
                                                                   : expected(p, value, "true or false");
}

static weir_status take_field(parser *p, const input_value *m, unsigned field, weir_migration *what,
                              weir_params *params)
{
    bool ignored;

    switch (field) {
    case TABLE:
        return take_text_name(p, m, &what->table);
    case COLUMN:
        return take_text_name(p, m, &what->as.column.name);
    case DATA_TYPE:
        return take_type(p, m, &what->as.column.type, params);
    case DEFAULT_VALUE:
    case VALUE:
        return take_value_text(p, m, &what->as.column.value);
    case FROM_COLUMN:
    case FROM_TABLE:
        return take_text_name(p, m, &what->as.names.from);
    case TO_COLUMN:
    case TO_TABLE:
        return take_text_name(p, m, &what->as.names.to);
    case TIMESTAMP:
        return take_timestamp(p, m, &what->as.column.time);
    case DELETED_COLUMN:
        if (m->kind == INPUT_NULL)
            return WEIR_OK;
        return take_text_name(p, m,
                              what->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY
                                  ? &what->as.names.deleted_column
                                  : &what->as.mode.deleted_column);
    default: /* of live mode only */
        return take_flag(p, m, &ignored);
    }
}

/* The names of the fields of a kind, for messages. */
static void list_fields(unsigned set, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < FIELD_COUNT && used < size; i++)
        if (set & fields[i].field)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", fields[i].name);
}

static unsigned field_of(const input_value *member)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (is_key(member, fields[i].name))
            return fields[i].field;
    return 0;
}

static weir_status take_migration(parser *p, const input_value *value, const kind *k, input_migration *out)
{
    char names[256];
    unsigned seen = 0;
    weir_status status = as_object(p, value, "an object");

    *out = (input_migration){ .kind = k->kind, .name = k->name, .at = value };
    out->live = k->live;
    out->what.kind = k->operation;
    list_fields(k->required | k->optional, names, sizeof names);
    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next) {
        unsigned field = field_of(m);

        if ((field & (k->required | k->optional)) != 0)
            status = take_field(p, m, field, &out->what, &out->params);
        else
            status = unknown_key(p, m, names);
        seen |= field;
    }
    if (status == WEIR_OK && (k->required & ~seen) != 0) {
        list_fields(k->required & ~seen, names, sizeof names);
        status = input_error(p->text, value, false, p->err, "missing here: %s", names);
    }
    if (k->required & FROM_TABLE)
        out->what.table = out->what.as.names.from;
    return status;
}

static const kind *kind_of(const input_value *member)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (is_key(member, kinds[i].name))
            return &kinds[i];
    return NULL;
}

static weir_status take_migrations_of(parser *p, const input_value *member, input_migration *out)
{
    const kind *k = kind_of(member);
    weir_status status = WEIR_OK;

    if (k == NULL)
        return unknown_key(p, member,
                           "a migration: add_column, copy_table, migrate_soft_delete_to_history, …");
    if (member->kind != INPUT_ARRAY)
        return expected(p, member, "an array of objects");
    for (const input_value *m = member->first; m != NULL && status == WEIR_OK; m = m->next)
        status = take_migration(p, m, k, &out[p->out->migration_count++]);
    return status;
}

static weir_status take_migrations(parser *p, const input_value *value)
{
    input_migration *all = weir__arena_array(p->arena, count_steps(value), sizeof *all);
    weir_status status = value->kind == INPUT_ARRAY ? WEIR_OK : expected(p, value, "an array of objects");

    if (status == WEIR_OK && all == NULL)
        status = memory(p);
    p->out->migrations = all;
    for (const input_value *entry = value->first; entry != NULL && status == WEIR_OK; entry = entry->next) {
        status = as_object(p, entry, "an object: {\"copy_table\": […]}");
        for (const input_value *m = entry->first; m != NULL && status == WEIR_OK; m = m->next)
            status = take_migrations_of(p, m, all);
    }
    return status;
}

/* --- the file --- */

static weir_status take_described(parser *p, const input_value *value)
{
    const char **names = weir__arena_array(p->arena, value->count, sizeof *names);
    weir_status status = value->kind == INPUT_ARRAY ? WEIR_OK : expected(p, value, "an array of table names");

    if (status == WEIR_OK && names == NULL)
        status = memory(p);
    for (const input_value *m = value->first; m != NULL && status == WEIR_OK; m = m->next)
        status = take_text_name(p, m, &names[p->out->described_count++]);
    p->out->described = names;
    return status;
}

static weir_status take_root(parser *p, const input_value *root)
{
    input_file *out = p->out;
    weir_status status = as_object(p, root, "an object: {\"create_table\": {…}, \"ops\": […]}");

    for (const input_value *m = root->first; m != NULL && status == WEIR_OK; m = m->next) {
        if (is_key(m, "create_table"))
            status = take_tables(p, m, &out->created, &out->created_count);
        else if (is_key(m, "alter_table"))
            status = take_tables(p, m, &out->altered, &out->altered_count);
        else if (is_key(m, "ops"))
            status = take_ops(p, m);
        else if (is_key(m, "schema_migration"))
            status = take_migrations(p, m);
        else if (is_key(m, "describe_table"))
            status = take_described(p, m);
        else
            status = unknown_key(p, m, "create_table, alter_table, ops, schema_migration, describe_table");
    }
    return status;
}

/* Behind the JSON a comment may stand; other text is a fault. */
static weir_status check_trailer(parser *p, const input_value *root, size_t end)
{
    input_value at = *root;

    if (input_json_trailer(p->text, end, &at.offset) == WEIR_OK)
        return WEIR_OK;
    return input_complain(p->text, p->rules, &at, false, p->err,
                          "text after the closing brace; a comment there begins with //");
}

weir_status input_parse(const input_text *text, const input_rules *rules, weir_arena *arena, input_file *out,
                        weir_error *err)
{
    input_file file = { .text = *text };
    parser p = { .text = text, .rules = rules, .arena = arena, .out = &file, .err = err };
    const input_value *root = NULL;
    size_t end = 0;
    weir_status status = input_json_parse(text, ROW_DEPTH, arena, &root, &end, err);

    if (status == WEIR_OK)
        status = take_root(&p, root);
    if (status == WEIR_OK)
        status = check_trailer(&p, root, end);
    if (status == WEIR_OK)
        *out = file;
    return status;
}
