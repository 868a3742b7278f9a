/* sdk/plan: plans in a map by schema and name; the columns of a plan and their names are one block. */
#include "sdk/plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sdk/tables.h"

/* Up to so many columns a search by comparison beats the hash. */
#define WIDE 16

void weir__plans_init(weir_plans *plans, const weir_selection *selection, uint64_t seed)
{
    *plans = (weir_plans){ .selection = selection };
    weir__map_init(&plans->map, seed);
}

static void plan_free(weir_plan *plan)
{
    if (plan == NULL)
        return;
    weir__map_clear(&plan->index);
    weir__free(plan->columns);
    weir__free(plan->key_text);
    weir__free(plan);
}

void weir__plans_clear(weir_plans *plans)
{
    for (size_t i = 0; i < plans->map.count; i++)
        plan_free(plans->map.entries[i].value);
    weir__map_clear(&plans->map);
    plans->last = NULL;
}

size_t weir__plan_find(const weir_plan *plan, const char *name)
{
    if (plan->index.count > 0)
        return (size_t)(uintptr_t)weir__map_get(&plan->index, weir__text(name)) - 1;
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* Copies the declared columns and what was chosen of them into the plan. */
static bool take_columns(weir_plan *plan, const weir_table *table)
{
    size_t size = table->column_count * sizeof *plan->columns;
    weir_map index = { .seed = plan->index.seed };
    weir_plan_column *columns;
    size_t key_count = 0;
    char *names;

    for (size_t i = 0; i < table->column_count; i++)
        size += strlen(table->columns[i].name) + 1;
    columns = weir__calloc(1, size + 1);
    if (columns == NULL)
        return false;
    names = (char *)(columns + table->column_count);
    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];
        weir_bytes name = weir__text(column->name);

        memcpy(names, name.data, name.size);
        columns[i].name = names;
        columns[i].type = column->type;
        columns[i].key = column->key;
        columns[i].follows = i + 1;
        columns[i].selected = column->key || weir__selection_column(&plan->choice, name);
        key_count += column->key ? 1 : 0;
        name.data = names;
        if (table->column_count > WIDE && !weir__map_put(&index, name, (void *)(uintptr_t)(i + 1))) {
            weir__map_clear(&index);
            weir__free(columns);
            return false;
        }
        names += name.size + 1;
    }
    weir__map_clear(&plan->index);
    weir__free(plan->columns);
    plan->index = index;
    plan->columns = columns;
    plan->count = table->column_count;
    plan->key_count = key_count;
    plan->first = 0;
    plan->declared = table->columns;
    return true;
}

/* Whether the plan still says what the declaration says. */
static bool same_columns(const weir_plan *plan, const weir_table *table)
{
    if (plan->count != table->column_count)
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        const weir_column *column = &table->columns[i];

        if (plan->columns[i].key != column->key || plan->columns[i].type != column->type ||
            strcmp(plan->columns[i].name, column->name) != 0)
            return false;
    }
    return true;
}

static char *put_name(char *at, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '.' || *name == '\\')
            *at++ = '\\';
        *at++ = *name;
    }
    return at;
}

/* One text for one table, whatever the names are. */
static void put_path(char *at, const weir_table *table)
{
    if (weir__table_has_schema(table)) {
        at = put_name(at, table->schema);
        *at++ = '.';
    }
    *put_name(at, table->name) = '\0';
}

static weir_plan *plan_new(const weir_plans *plans, const weir_table *table)
{
    size_t schema_size = table->schema ? strlen(table->schema) : 0;
    size_t name_size = strlen(table->name);
    weir_plan *plan = weir__calloc(1, sizeof *plan);

    if (plan == NULL)
        return NULL;
    plan->key_text = weir__malloc(3 * (schema_size + name_size) + 4);
    if (plan->key_text == NULL) {
        plan_free(plan);
        return NULL;
    }
    plan->key_size = schema_size + 1 + name_size;
    memcpy(plan->key_text, table->schema ? table->schema : "", schema_size + 1);
    memcpy(plan->key_text + schema_size + 1, table->name, name_size + 1);
    plan->path = plan->key_text + plan->key_size + 1;
    put_path(plan->key_text + plan->key_size + 1, table);
    plan->schema = (weir_bytes){ schema_size > 0 ? plan->key_text : NULL, schema_size };
    plan->name = (weir_bytes){ plan->key_text + schema_size + 1, name_size };
    plan->index.seed = plans->map.seed;
    plan->choice = weir__selection_table(plans->selection, table->schema, table->name);
    plan->selected = plan->choice.included;
    if (!take_columns(plan, table)) {
        plan_free(plan);
        return NULL;
    }
    return plan;
}

static weir_plan *find(const weir_plans *plans, const weir_table *table)
{
    char key[2 * WEIR_NAME_SIZE_MAX + 2];
    size_t schema_size = table->schema ? strlen(table->schema) : 0;
    size_t name_size = strlen(table->name);

    memcpy(key, table->schema ? table->schema : "", schema_size + 1);
    memcpy(key + schema_size + 1, table->name, name_size);
    return weir__map_get(&plans->map, (weir_bytes){ key, schema_size + 1 + name_size });
}

weir_status weir__plan_look_up(weir_plans *plans, const weir_table *table, weir_plan **out, weir_error *err)
{
    bool with_schema = weir__table_has_schema(table);
    weir_plan *plan;

    if (weir__source_table_check(table, err) != WEIR_OK)
        return WEIR_FAILED;
    if (plans->any && with_schema != plans->with_schema)
        return weir__error(
            err, "table '%s' %s a schema, unlike the tables before it; all tables have one, or none has",
            table->name, with_schema ? "has" : "lacks");
    plan = find(plans, table);
    if (plan != NULL) {
        if (!same_columns(plan, table) && !take_columns(plan, table))
            return weir__error_memory(err, "preparing a table");
        plan->declared = table->columns;
    } else {
        if (plans->map.count == WEIR_TABLE_COUNT_MAX)
            return weir__error(err, "the source sends more than %zu tables", WEIR_TABLE_COUNT_MAX);
        plan = plan_new(plans, table);
        if (plan == NULL)
            return weir__error_memory(err, "preparing a table");
        if (!weir__map_put(&plans->map, (weir_bytes){ plan->key_text, plan->key_size }, plan)) {
            plan_free(plan);
            return weir__error_memory(err, "preparing a table");
        }
    }
    plans->any = true;
    plans->with_schema = with_schema;
    plans->last = plan;
    *out = plan;
    return WEIR_OK;
}
