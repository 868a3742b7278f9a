/* cli/schema_show: tables and JSON of schema configurations; see schema_show.h. */
#include "cli/schema_show.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/cli.h"
#include "engine/name.h"

/* One line of the table. */
typedef struct line {
    size_t depth;
    const char *source;
    const char *destination;
    bool synced;
    char how[64];
} line;

typedef struct shower {
    const plan *p;
    const char *schema; /* weir sync's */
    weir_arena *arena;
    line *lines;
    size_t count;
    size_t capacity;
    weir_error *err;
} shower;

/* --- names --- */

/* What `source` is called at the destination, in the arena. NULL: see the error. */
static const char *called(weir_arena *arena, const plan *p, const char *source, engine_name_kind kind,
                          weir_error *err)
{
    weir_buf text;
    char *name = NULL;

    weir__buf_init(&text, 64 * WEIR_KIB);
    if (engine_name_put(weir__text(source), kind, p->naming, &text, err) == WEIR_OK) {
        name = weir__arena_copy(arena, text.data, text.size);
        if (name == NULL)
            weir__error_memory(err, "naming a table");
    }
    weir__buf_clear(&text);
    return name;
}

static const char *called_schema(weir_arena *arena, const plan *p, const char *schema, const char *source,
                                 weir_error *err)
{
    const char *own = source[0] ? called(arena, p, source, ENGINE_NAME_SCHEMA, err) : "";
    const char *name = NULL;

    if (own != NULL)
        name = own[0] ? weir__arena_printf(arena, "%s_%s", schema, own) : schema;
    if (own != NULL && name == NULL)
        weir__error_memory(err, "naming a table");
    return name;
}

/* Characters, as far as a terminal gives each one place. */
static size_t width(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* The text without control characters, then blanks up to `wanted`; 0: none. */
static void put_text(const char *text, size_t wanted)
{
    size_t size = width(text);

    for (const char *c = text; *c != '\0'; c++)
        putchar((unsigned char)*c < 0x20 || *c == 0x7F ? ' ' : *c);
    for (; size < wanted; size++)
        putchar(' ');
}

/* --- the table --- */

static line *add_line(shower *s)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 64;
        line *lines = weir__arena_array(s->arena, capacity, sizeof *lines);

        if (lines == NULL) {
            weir__error_memory(s->err, "showing a schema configuration");
            return NULL;
        }
        if (s->count > 0)
            memcpy(lines, s->lines, s->count * sizeof *lines);
        s->lines = lines;
        s->capacity = capacity;
    }
    return &s->lines[s->count++];
}

static weir_status add_object(shower *s, const line *one)
{
    line *to = one->destination ? add_line(s) : NULL;

    if (to == NULL)
        return WEIR_FAILED;
    *to = *one;
    return WEIR_OK;
}

static weir_status add_table(shower *s, size_t depth, bool on, const plan_table *table)
{
    line one = { .depth = depth,
                 .source = table->name,
                 .destination = called(s->arena, s->p, table->name, ENGINE_NAME_TABLE, s->err),
                 .synced = on && table->enabled };
    bool synced = one.synced;
    weir_status status;

    snprintf(one.how, sizeof one.how, "%s", plan_mode_name(table->mode));
    status = add_object(s, &one);
    for (size_t i = 0; i < table->columns.count && status == WEIR_OK; i++) {
        const plan_column *column = table->columns.entries[i].value;

        one = (line){ .depth = depth + 1,
                      .source = column->name,
                      .destination = called(s->arena, s->p, column->name, ENGINE_NAME_COLUMN, s->err),
                      .synced = synced && (column->enabled || column->key) };
        snprintf(one.how, sizeof one.how, "%s%s%s", column->key ? "key" : "",
                 column->key && column->hashed ? ", " : "", column->hashed ? "hashed" : "");
        status = add_object(s, &one);
    }
    return status;
}

static weir_status add_schema(shower *s, const plan_schema *schema)
{
    line one = { .source = schema->name,
                 .destination = called_schema(s->arena, s->p, s->schema, schema->name, s->err),
                 .synced = schema->enabled };
    bool named = schema->name[0] != '\0';
    weir_status status = named ? add_object(s, &one) : WEIR_OK;

    for (size_t i = 0; i < schema->tables.count && status == WEIR_OK; i++)
        status = add_table(s, named ? 1 : 0, schema->enabled, schema->tables.entries[i].value);
    return status;
}

static void print_lines(const shower *s)
{
    size_t source = sizeof "SOURCE" - 1;
    size_t destination = sizeof "DESTINATION" - 1;

    for (size_t i = 0; i < s->count; i++) {
        size_t left = 2 * s->lines[i].depth + width(s->lines[i].source);
        size_t right = width(s->lines[i].destination);

        source = left > source ? left : source;
        destination = right > destination ? right : destination;
    }
    put_text("SOURCE", source);
    printf("  SYNCED  ");
    put_text("DESTINATION", destination);
    printf("  HOW\n");
    for (size_t i = 0; i < s->count; i++) {
        const line *one = &s->lines[i];

        printf("%*s", (int)(2 * one->depth), "");
        put_text(one->source, source - 2 * one->depth);
        printf("  %-6s  ", one->synced ? "on" : "off");
        put_text(one->destination, one->how[0] ? destination : 0);
        printf("%s%s\n", one->how[0] ? "  " : "", one->how);
    }
}

weir_status schema_show(const plan *p, const char *schema, weir_arena *arena, weir_error *err)
{
    shower s = { .p = p, .schema = schema, .arena = arena, .err = err };
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < p->schemas.count && status == WEIR_OK; i++)
        status = add_schema(&s, p->schemas.entries[i].value);
    if (status != WEIR_OK)
        return status;
    printf("%s, %s\n\n", plan_handling_name(p->handling), plan_naming_name(p->naming));
    if (s.count > 0)
        print_lines(&s);
    else
        printf("nothing is listed yet: weir schema edit with --source lists what the source has\n");
    return fflush(stdout) == 0 ? WEIR_OK
                               : weir__error(err, "the result could not be written to standard output");
}

/* --- JSON --- */

/* The object with its list, both *consumed*; NULL when either is. */
static json_t *with_list(json_t *object, const char *name, json_t *list)
{
    if (object != NULL && list != NULL && json_object_set(object, name, list) == 0) {
        json_decref(list);
        return object;
    }
    json_decref(object);
    json_decref(list);
    return NULL;
}

/* The list with one more, *consumed*; NULL, the list released, when it is NULL or there is no memory. */
static json_t *with_one(json_t *list, json_t *one)
{
    if (list != NULL && one != NULL && json_array_append(list, one) == 0) {
        json_decref(one);
        return list;
    }
    json_decref(one);
    json_decref(list);
    return NULL;
}

static json_t *column_value(const shower *s, bool on, const plan_column *column)
{
    const char *name = called(s->arena, s->p, column->name, ENGINE_NAME_COLUMN, s->err);

    return name ? json_pack("{s:s, s:b, s:b, s:b, s:b, s:s}", "name", column->name, "enabled",
                            (int)column->enabled, "synced", (int)(on && (column->enabled || column->key)),
                            "hashed", (int)column->hashed, "key", (int)column->key, "destination", name)
                : NULL;
}

static json_t *table_value(const shower *s, bool on, const plan_table *table)
{
    const char *name = called(s->arena, s->p, table->name, ENGINE_NAME_TABLE, s->err);
    bool synced = on && table->enabled;
    json_t *columns = json_array();
    json_t *value = NULL;

    for (size_t i = 0; i < table->columns.count && columns != NULL; i++)
        columns = with_one(columns, column_value(s, synced, table->columns.entries[i].value));
    if (name != NULL)
        value = json_pack("{s:s, s:b, s:b, s:s, s:s}", "name", table->name, "enabled", (int)table->enabled,
                          "synced", (int)synced, "sync_mode", plan_mode_name(table->mode), "destination",
                          name);
    return with_list(value, "columns", columns);
}

static json_t *schema_value(const shower *s, const plan_schema *schema)
{
    const char *name = called_schema(s->arena, s->p, s->schema, schema->name, s->err);
    json_t *tables = json_array();
    json_t *value = NULL;

    for (size_t i = 0; i < schema->tables.count && tables != NULL; i++)
        tables = with_one(tables, table_value(s, schema->enabled, schema->tables.entries[i].value));
    if (name != NULL)
        value = json_pack("{s:s, s:b, s:b, s:s}", "name", schema->name, "enabled", (int)schema->enabled,
                          "synced", (int)schema->enabled, "destination", name);
    return with_list(value, "tables", tables);
}

weir_status schema_show_json(const plan *p, const char *schema, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    shower s = { .p = p, .schema = schema, .arena = arena, .err = err };
    json_t *list = arena ? json_array() : NULL;
    json_t *root = json_pack("{s:s, s:s}", "schema_change_handling", plan_handling_name(p->handling),
                             "naming", plan_naming_name(p->naming));

    for (size_t i = 0; i < p->schemas.count && list != NULL; i++)
        list = with_one(list, schema_value(&s, p->schemas.entries[i].value));
    root = with_list(root, "schemas", list);
    weir__arena_free(arena);
    return cli_print_json(root)
               ? WEIR_OK
               : weir__error(err, "the result could not be written to standard output, or memory ran out");
}

/* --- differences --- */

bool schema_show_differences(const plan_differences *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const plan_difference *one = &found->items[i];

        put_text(one->path, 0);
        printf("%s%s: %s -> %s\n", one->path[0] ? " " : "", one->what,
               one->before ? one->before : "not listed", one->after ? one->after : "not listed");
    }
    if (found->count == 0)
        printf("nothing differs\n");
    return fflush(stdout) == 0;
}

bool schema_show_differences_json(const plan_differences *found, bool changes)
{
    json_t *list = json_array();

    for (size_t i = 0; i < found->count && list != NULL; i++) {
        const plan_difference *one = &found->items[i];

        list = with_one(list, json_pack("{s:s, s:s, s:s?, s:s?}", "path", one->path, "what", one->what,
                                        "before", one->before, "after", one->after));
    }
    return cli_print_json(with_list(json_object(), changes ? "changes" : "differences", list));
}
