/*
 * engine/plan_read: the parser of a schema configuration; see plan.h.
 *
 * Objects with fixed members are read from tables of members, objects whose members are names by a function
 * per name. Values are borrowed from the text, so every error knows its line.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "data/json.h"
#include "engine/plan.h"
#include "sys/file.h"

#define PATH_SIZE 512

typedef struct reader {
    plan *p;
    const char *file;
    weir_bytes text;
    const char *place; /* in the text: what is being read */
    char path[PATH_SIZE];
    weir_error *err;
    plan_schema *schema; /* what the members being read belong to */
    plan_table *table;
    plan_column *column;
} reader;

typedef struct member {
    const char *name;
    weir_status (*take)(reader *r, const weir_json_value *value);
} member;

/* Sets the error: place, path and the text. */
static weir_status refuse(reader *r, const char *text)
{
    size_t line = 1;

    for (const char *at = r->text.data; at < r->place; at++)
        line += *at == '\n';
    return weir__error(r->err, "schema configuration '%s', line %zu%s%s: %s", r->file, line,
                       r->path[0] ? ", " : "", r->path, text);
}

static const char *kind_of(const weir_json_value *value)
{
    static const char *const names[] = { "null",     "a boolean", "a boolean", "a number",
                                         "a string", "an object", "an array" };

    return names[value->kind];
}

static weir_status refuse_kind(reader *r, const weir_json_value *value, const char *wanted)
{
    char text[512];

    snprintf(text, sizeof text, "expected %s, found %s", wanted, kind_of(value));
    return refuse(r, text);
}

/* Lengthens the path by a name; returns what it was, for `path[before] = 0`. */
static size_t enter(reader *r, const char *name)
{
    size_t before = strlen(r->path);

    snprintf(r->path + before, PATH_SIZE - before, "%s%.200s", before ? "." : "", name);
    return before;
}

/* The text of a member's name in the plan's memory. NULL: refused. */
static char *take_name(reader *r, const weir_json_value *name)
{
    char *text = weir__arena_raw(r->p->arena, name->text.size + 1);
    size_t size;

    r->place = name->text.data;
    if (text == NULL) {
        weir__error_memory(r->err, "reading a schema configuration");
        return NULL;
    }
    size = weir__json_decode(name, text);
    text[size] = '\0';
    if (memchr(text, '\0', size) != NULL || size > WEIR_NAME_SIZE_MAX) {
        refuse(r, size > WEIR_NAME_SIZE_MAX
                      ? "a name is longer than the 1024 bytes that a source's name may have"
                      : "a name contains a NUL character");
        return NULL;
    }
    return text;
}

/* --- objects --- */

static weir_status refuse_member(reader *r, const char *name, const member *members, size_t count)
{
    char text[PATH_SIZE + 256];
    int size = snprintf(text, sizeof text, "unknown member '%.200s'; there are", name);

    for (size_t i = 0; i < count; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "%s '%s'",
                         i == 0          ? ""
                         : i + 1 < count ? ","
                                         : " and",
                         members[i].name);
    return refuse(r, text);
}

static weir_status read_members(reader *r, const weir_json_value *value, const member *members, size_t count)
{
    weir_json_walk walk = weir__json_walk(value);
    weir_json_value name;
    weir_json_value of;
    unsigned seen = 0;

    if (value->kind != WEIR_JSON_OBJECT)
        return refuse_kind(r, value, "an object");
    while (weir__json_next(&walk, &name, &of)) {
        char *text = take_name(r, &name);
        size_t at = 0;
        size_t before;
        weir_status status;

        if (text == NULL)
            return WEIR_FAILED;
        while (at < count && strcmp(members[at].name, text) != 0)
            at++;
        if (at == count)
            return refuse_member(r, text, members, count);
        before = enter(r, text);
        if (seen & 1U << at)
            return refuse(r, "this member is there twice");
        seen |= 1U << at;
        status = members[at].take(r, &of);
        if (status != WEIR_OK)
            return status;
        r->path[before] = '\0';
    }
    return WEIR_OK;
}

/* Members whose names are the source's. */
static weir_status read_names(reader *r, const weir_json_value *value,
                              weir_status (*take)(reader *r, const char *name, const weir_json_value *value))
{
    weir_json_walk walk = weir__json_walk(value);
    weir_json_value name;
    weir_json_value of;

    if (value->kind != WEIR_JSON_OBJECT)
        return refuse_kind(r, value, "an object whose members are names of the source");
    while (weir__json_next(&walk, &name, &of)) {
        char *text = take_name(r, &name);
        size_t before;
        weir_status status;

        if (text == NULL)
            return WEIR_FAILED;
        before = enter(r, text);
        status = take(r, text, &of);
        if (status != WEIR_OK)
            return status;
        r->path[before] = '\0';
    }
    return WEIR_OK;
}

/* --- values --- */

static weir_status read_boolean(reader *r, const weir_json_value *value, bool *out)
{
    if (value->kind != WEIR_JSON_TRUE && value->kind != WEIR_JSON_FALSE)
        return refuse_kind(r, value, "true or false");
    *out = value->kind == WEIR_JSON_TRUE;
    return WEIR_OK;
}

/* A word; longer ones than any we know are cut. */
static weir_status read_word(reader *r, const weir_json_value *value, const char *wanted, char out[64])
{
    char text[256];
    size_t size = 0;

    if (value->kind != WEIR_JSON_STRING)
        return refuse_kind(r, value, wanted);
    if (value->text.size < sizeof text)
        size = weir__json_decode(value, text);
    if (size > 63)
        size = 63;
    memcpy(out, text, size);
    out[size] = '\0';
    return WEIR_OK;
}

static weir_status refuse_word(reader *r, const char *wanted, const char *found)
{
    char text[256];

    snprintf(text, sizeof text, "expected %s, found '%s'", wanted, found);
    return refuse(r, text);
}

static weir_status take_handling(reader *r, const weir_json_value *value)
{
    static const char wanted[] = "\"ALLOW_ALL\", \"ALLOW_COLUMNS\" or \"BLOCK_ALL\"";
    char word[64];
    weir_status status = read_word(r, value, wanted, word);

    if (status == WEIR_OK && !plan_handling_from(word, &r->p->handling))
        status = refuse_word(r, wanted, word);
    return status;
}

static weir_status take_naming(reader *r, const weir_json_value *value)
{
    static const char wanted[] = "\"FIVETRAN_NAMING\" or \"SOURCE_NAMING\"";
    char word[64];
    weir_status status = read_word(r, value, wanted, word);

    if (status == WEIR_OK && !plan_naming_from(word, &r->p->naming))
        status = refuse_word(r, wanted, word);
    return status;
}

/* --- columns, tables, schemas --- */

static weir_status take_column_enabled(reader *r, const weir_json_value *value)
{
    return read_boolean(r, value, &r->column->enabled);
}

static weir_status take_column_hashed(reader *r, const weir_json_value *value)
{
    return read_boolean(r, value, &r->column->hashed);
}

static weir_status take_column_key(reader *r, const weir_json_value *value)
{
    return read_boolean(r, value, &r->column->key);
}

static weir_status take_column(reader *r, const char *name, const weir_json_value *value)
{
    static const member members[] = { { "enabled", take_column_enabled },
                                      { "hashed", take_column_hashed },
                                      { "key", take_column_key } };
    weir_bytes schema = weir__text(r->schema->name);
    weir_bytes table = weir__text(r->table->name);

    if (plan_find_column(r->p, schema, table, weir__text(name)) != NULL)
        return refuse(r, "this column is there twice");
    if (name[0] == '\0')
        return refuse(r, "a column has no name");
    r->column = plan_edit_column(r->p, schema, table, weir__text(name), r->err);
    return r->column ? read_members(r, value, members, 3) : WEIR_FAILED;
}

static weir_status take_table_enabled(reader *r, const weir_json_value *value)
{
    return read_boolean(r, value, &r->table->enabled);
}

static weir_status take_mode(reader *r, const weir_json_value *value)
{
    static const char wanted[] = "\"SOFT_DELETE\" or \"HISTORY\"";
    char word[64];
    weir_status status = read_word(r, value, wanted, word);

    if (status == WEIR_OK && strcmp(word, "LIVE") == 0)
        return refuse(r,
                      "live mode is not to be had: the Partner SDK has no operation that removes a row, so "
                      "no destination could be asked for it; choose \"SOFT_DELETE\" or \"HISTORY\"");
    if (status == WEIR_OK && !plan_mode_from(word, &r->table->mode))
        status = refuse_word(r, wanted, word);
    return status;
}

static weir_status take_columns(reader *r, const weir_json_value *value)
{
    r->table->whole = false;
    return read_names(r, value, take_column);
}

static weir_status take_table(reader *r, const char *name, const weir_json_value *value)
{
    static const member members[] = { { "enabled", take_table_enabled },
                                      { "sync_mode", take_mode },
                                      { "columns", take_columns } };
    weir_bytes schema = weir__text(r->schema->name);

    if (plan_find_table(r->p, schema, weir__text(name)) != NULL)
        return refuse(r, "this table is there twice");
    if (name[0] == '\0')
        return refuse(r, "a table has no name");
    r->table = plan_edit_table(r->p, schema, weir__text(name), r->err);
    return r->table ? read_members(r, value, members, 3) : WEIR_FAILED;
}

static weir_status take_schema_enabled(reader *r, const weir_json_value *value)
{
    return read_boolean(r, value, &r->schema->enabled);
}

static weir_status take_tables(reader *r, const weir_json_value *value)
{
    r->schema->whole = false;
    return read_names(r, value, take_table);
}

static weir_status take_schema(reader *r, const char *name, const weir_json_value *value)
{
    static const member members[] = { { "enabled", take_schema_enabled }, { "tables", take_tables } };

    if (plan_find_schema(r->p, weir__text(name)) != NULL)
        return refuse(r, "this schema is there twice");
    r->schema = plan_edit_schema(r->p, weir__text(name), r->err);
    return r->schema ? read_members(r, value, members, 2) : WEIR_FAILED;
}

static weir_status refuse_both(reader *r)
{
    r->path[0] = '\0';
    return refuse(r, "a source has either schemas or tables without a schema: keep 'schemas' or 'tables'");
}

static weir_status take_schemas(reader *r, const weir_json_value *value)
{
    if (r->p->schemas.count > 0)
        return refuse_both(r);
    return read_names(r, value, take_schema);
}

/* The tables of a source without schemas. */
static weir_status take_plain_tables(reader *r, const weir_json_value *value)
{
    if (r->p->schemas.count > 0)
        return refuse_both(r);
    r->schema = plan_edit_schema(r->p, (weir_bytes){ "", 0 }, r->err);
    return r->schema ? take_tables(r, value) : WEIR_FAILED;
}

/* --- the whole --- */

/* jansson tells where a text ceases to be JSON. */
static weir_status refuse_text(const char *file, weir_bytes text, weir_error *err)
{
    json_error_t error = { .line = 1, .text = "nested too deep" };
    json_t *root = json_loadb(text.data ? text.data : "", text.size, JSON_DECODE_ANY, &error);

    if (root != NULL)
        snprintf(error.text, sizeof error.text, "nested too deep, or no UTF-8");
    json_decref(root);
    return weir__error(err, "schema configuration '%s', line %d, column %d: this is no JSON: %s", file,
                       error.line, error.column, error.text);
}

weir_status plan_parse(weir_bytes text, const char *file, plan **out, weir_error *err)
{
    static const member members[] = { { "schema_change_handling", take_handling },
                                      { "naming", take_naming },
                                      { "schemas", take_schemas },
                                      { "tables", take_plain_tables } };
    reader r = { .file = file, .text = text, .place = text.data, .err = err };
    weir_json_value root;
    weir_status status;

    if (!weir__json_parse(text, &root))
        return refuse_text(file, text, err);
    r.p = plan_new();
    if (r.p == NULL)
        return weir__error_memory(err, "reading a schema configuration");
    status = read_members(&r, &root, members, 4);
    if (status != WEIR_OK) {
        plan_free(r.p);
        return status;
    }
    r.p->changed = false;
    *out = r.p;
    return WEIR_OK;
}

weir_status plan_load(const char *file, plan **out, weir_error *err)
{
    weir_status status;
    weir_buf text;

    weir__buf_init(&text, WEIR_PLAN_SIZE_MAX);
    status = weir__file_load(file, &text, err);
    if (status == WEIR_NOT_FOUND)
        status = weir__error_as(err, WEIR_NOT_FOUND, "schema configuration '%s': there is no such file",
                                file);
    if (status == WEIR_OK)
        status = plan_parse(weir__buf_bytes(&text), file, out, err);
    weir__buf_clear(&text);
    return status;
}
