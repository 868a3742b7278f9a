/* harness/selection: the test's choices as the selection of an Update request (R-SRC-05). */
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "harness/source_side.h"

static char *copy_of(const char *text)
{
    return weir__test_memory(weir__copy_text(text, strlen(text)));
}

void weir_harness_select(weir_harness *h, const char *schema, const char *table, const char *column,
                         bool chosen)
{
    weir_source_side *side = h->source;
    weir_harness_choice *choice;

    if (side == NULL) {
        weir__fail_here("weir_harness_select is for sources; this harness has a destination");
        return;
    }
    side->selecting = true;
    side->choices = weir__test_memory(
        weir__realloc_array(side->choices, side->choice_count + 1, sizeof *side->choices));
    choice = &side->choices[side->choice_count++];
    *choice = (weir_harness_choice){ .schema = copy_of(schema ? schema : ""),
                                     .table = copy_of(table),
                                     .column = column ? copy_of(column) : NULL,
                                     .chosen = chosen };
}

void weir_harness_select_new(weir_harness *h, bool schemas, bool tables, bool columns)
{
    if (h->source == NULL) {
        weir__fail_here("weir_harness_select_new is for sources; this harness has a destination");
        return;
    }
    h->source->selecting = true;
    h->source->new_schemas = schemas;
    h->source->new_tables = tables;
    h->source->new_columns = columns;
}

/* True for the first choice that names its table. */
static bool is_first(const weir_source_side *side, size_t index, bool by_table)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(side->choices[i].schema, side->choices[index].schema) == 0 &&
            (!by_table || strcmp(side->choices[i].table, side->choices[index].table) == 0))
            return false;
    return true;
}

static v2_table_selection table_selection(weir_harness *h, const weir_harness_choice *of)
{
    const weir_source_side *side = h->source;
    v2_table_selection out = { .included = true,
                               .table_name = weir__text(of->table),
                               .include_new_columns = side->new_columns };
    v2_bool_entry *columns = WEIR_HARNESS_ARRAY(h->arena, side->choice_count, v2_bool_entry);

    for (size_t i = 0; i < side->choice_count; i++) {
        const weir_harness_choice *choice = &side->choices[i];

        if (strcmp(choice->schema, of->schema) != 0 || strcmp(choice->table, of->table) != 0)
            continue;
        if (choice->column == NULL)
            out.included = choice->chosen;
        else
            columns[out.columns_count++] = (v2_bool_entry){ .key = weir__text(choice->column),
                                                            .value = choice->chosen };
    }
    out.columns = columns;
    return out;
}

static v2_table_selection *tables_of(weir_harness *h, const char *schema, size_t *count)
{
    const weir_source_side *side = h->source;
    v2_table_selection *tables = WEIR_HARNESS_ARRAY(h->arena, side->choice_count, v2_table_selection);

    *count = 0;
    for (size_t i = 0; i < side->choice_count; i++)
        if (strcmp(side->choices[i].schema, schema) == 0 && is_first(side, i, true))
            tables[(*count)++] = table_selection(h, &side->choices[i]);
    return tables;
}

static bool has_schemas(const weir_source_side *side)
{
    for (size_t i = 0; i < side->choice_count; i++)
        if (side->choices[i].schema[0] != '\0')
            return true;
    for (size_t i = 0; i < side->table_count; i++)
        if (side->tables[i].schema != NULL && side->tables[i].schema[0] != '\0')
            return true;
    return false;
}

const v2_selection *weir__source_selection(weir_harness *h)
{
    const weir_source_side *side = h->source;
    v2_selection *out = WEIR_HARNESS_NEW(h->arena, v2_selection);
    v2_tables_with_schema *with = WEIR_HARNESS_NEW(h->arena, v2_tables_with_schema);
    v2_tables_with_no_schema *without = WEIR_HARNESS_NEW(h->arena, v2_tables_with_no_schema);
    v2_schema_selection *schemas = WEIR_HARNESS_ARRAY(h->arena, side->choice_count, v2_schema_selection);

    if (!side->selecting)
        return NULL;
    if (!has_schemas(side)) {
        without->tables = tables_of(h, "", &without->tables_count);
        without->include_new_tables = side->new_tables;
        out->which_selection = V2_SELECTION_WITHOUT_SCHEMA;
        out->selection.without_schema = without;
        return out;
    }
    for (size_t i = 0; i < side->choice_count; i++) {
        v2_schema_selection *schema = &schemas[with->schemas_count];

        if (!is_first(side, i, false))
            continue;
        *schema = (v2_schema_selection){ .included = true,
                                         .schema_name = weir__text(side->choices[i].schema),
                                         .include_new_tables = side->new_tables };
        schema->tables = tables_of(h, side->choices[i].schema, &schema->tables_count);
        with->schemas_count++;
    }
    with->schemas = schemas;
    with->include_new_schemas = side->new_schemas;
    out->which_selection = V2_SELECTION_WITH_SCHEMA;
    out->selection.with_schema = with;
    return out;
}
