/*
 * harness/conform_schema: probes of create, describe and alter (R-DST-01 to R-DST-03), and of keys
 * (R-DST-07).
 */
#include "harness/conform_tables.h"

#include "base/map.h"
#include "data/table.h"

void weir__probe_describe_missing(const weir_probe_run *p)
{
    const char *schema = p->quirks->no_schemas ? "" : WEIR_PROBE_SCHEMA;
    weir_status status = (weir_harness_describe)(p->h, schema, "was_never_there", NULL);

    if (status == WEIR_NOT_FOUND)
        return;
    p->h->last.expected = true;
    weir__fail_here("%s: a missing table is described as %s (R-DST-01)", p->rule,
                    status == WEIR_OK ? "a table" : weir_harness_text(p->h));
}

void weir__probe_create_twice(const weir_probe_run *p)
{
    weir_table again = *weir__probe_table(p);

    if ((weir_harness_create)(p->h, &again) == WEIR_OK)
        weir__fail_here("%s: a table that exists is created again (R-DST-02)", p->rule);
    else
        p->h->last.expected = true;
}

/* A table with two rows. */
static const weir_table *begin(const weir_probe_run *p)
{
    const weir_table *t = weir__probe_table(p);

    weir__probe_put(p, t, 1, "one");
    weir__probe_put(p, t, 2, NULL);
    weir__probe_write(p, t);
    return t;
}

static void alter(const weir_probe_run *p, const weir_table *t, bool drop)
{
    if (weir__probe_went_well(p, (weir_harness_alter)(p->h, t, drop)))
        weir__probe_compare(p);
}

void weir__probe_alter_same(const weir_probe_run *p)
{
    weir_table t = *begin(p);
    weir_column columns[8];

    alter(p, &t, false);
    for (size_t i = 0; i < t.column_count; i++)
        columns[i] = t.columns[t.column_count - 1 - i];
    t.columns = columns;
    alter(p, &t, true);
}

void weir__probe_alter_add(const weir_probe_run *p)
{
    weir_table t = *begin(p);
    weir_column columns[8];

    memcpy(columns, t.columns, t.column_count * sizeof *columns);
    columns[t.column_count++] = (weir_column){ .name = "added", .type = WEIR_DOUBLE };
    t.columns = columns;
    alter(p, &t, false);
    weir__probe_put(p, &t, 3, "three");
    (weir_harness_put)(p->h, &t, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1), weir_double("added", 0.5)));
    weir__probe_write(p, &t);
    weir__probe_compare(p);
}

static weir_table without_number(const weir_table *t, weir_column *columns)
{
    weir_table out = *t;

    out.column_count = 0;
    out.columns = columns;
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, "number") != 0)
            columns[out.column_count++] = t->columns[i];
    return out;
}

static void alter_without(const weir_probe_run *p, bool drop)
{
    weir_column columns[8];
    weir_table t = without_number(begin(p), columns);

    alter(p, &t, drop);
    (weir_harness_put)(p->h, &t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 3), weir_string("text", "three")));
    (weir_harness_put)(p->h, &t, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1), weir_string("text", "changed")));
    weir__probe_write(p, &t);
    weir__probe_compare(p);
}

void weir__probe_alter_keep(const weir_probe_run *p)
{
    alter_without(p, false);
}

void weir__probe_alter_drop(const weir_probe_run *p)
{
    alter_without(p, true);
}

static weir_cell value_of(const weir_column *column)
{
    weir_cell cell = weir__cell(column->name, column->type, WEIR_VALUE);
    const char *text = column->type == WEIR_NAIVE_DATE       ? "2007-12-03"
                       : column->type == WEIR_NAIVE_TIME     ? "10:15:30"
                       : column->type == WEIR_NAIVE_DATETIME ? "2007-12-03T10:15:30"
                                                             : "1969-12-31T23:59:59.999Z";

    switch (column->type) {
    case WEIR_BOOLEAN:
        return weir_boolean(column->name, true);
    case WEIR_SHORT:
        return weir_short(column->name, INT16_MIN);
    case WEIR_INT:
        return weir_int(column->name, INT32_MAX);
    case WEIR_LONG:
        return weir_long(column->name, INT64_MIN);
    case WEIR_FLOAT:
        return weir_float(column->name, 1.5F);
    case WEIR_DOUBLE:
        return weir_double(column->name, 0.1);
    case WEIR_DECIMAL:
        return weir_decimal(column->name, "-123456.7800");
    case WEIR_BINARY:
        return weir_binary(column->name, "\0\x01\xFF", 3);
    case WEIR_XML:
        return weir_xml(column->name, "<a>b</a>");
    case WEIR_JSON:
        return weir_json(column->name, "{\"a\":[1,null]}");
    case WEIR_STRING:
        return weir_string(column->name, "\xF0\x9F\x8C\x8A text");
    default:
        if (!weir_time_parse(column->type, text, strlen(text), &cell.as.time))
            cell.presence = WEIR_NULL;
        return cell;
    }
}

void weir__probe_types(const weir_probe_run *p)
{
    weir_column columns[WEIR_TYPE_COUNT + 1] = { { .name = "id", .type = WEIR_LONG, .key = true } };
    weir_cell cells[WEIR_TYPE_COUNT + 1];
    weir_table table = { .columns = columns, .column_count = 1 };
    const weir_table *t;

    for (int type = WEIR_BOOLEAN; type < WEIR_TYPE_COUNT; type++)
        columns[table.column_count++] = (weir_column){ .name = weir_type_name((weir_type)type),
                                                       .type = (weir_type)type };
    for (size_t i = 0; i < table.column_count; i++)
        if (columns[i].type == WEIR_DECIMAL)
            columns[i].params = (weir_params){ .precision = 12, .scale = 4 };
    t = weir__probe_create(p, &table);
    cells[0] = weir_long("id", 1);
    for (size_t i = 1; i < t->column_count; i++)
        cells[i] = value_of(&t->columns[i]);
    (weir_harness_put)(p->h, t, WEIR_REPLACE, cells, t->column_count);
    (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", 2)));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

void weir__probe_names(const weir_probe_run *p)
{
    static const char *const names[] = {
        "select",
        "Order",
        "a \"quoted\" name",
        "it's",
        "with.dot",
        "per%cent_under",
        "back`tick",
        "\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x8C\x8A",
        "semi;colon",
        "a_name_of_more_than_a_hundred_characters_which_no_store_that_cuts_names_at_sixty_three_keeps_as_it_"
        "is_"
        "without_further_ado",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                  { .name = names[i], .type = WEIR_STRING } };
        weir_table table = { .name = names[i], .columns = columns, .column_count = 2 };
        const weir_table *t = weir__probe_create(p, &table);

        (weir_harness_put)(p->h, t, WEIR_REPLACE,
                           WEIR_CELLS(weir_long("id", 1), weir_string(names[i], "kept")));
        weir__probe_write(p, t);
        (weir_harness_put)(p->h, t, WEIR_UPDATE,
                           WEIR_CELLS(weir_long("id", 1), weir_string(names[i], "new")));
        weir__probe_write(p, t);
        weir__probe_compare(p);
    }
}

void weir__probe_keyless(const weir_probe_run *p)
{
    weir_table table = { WEIR_COLUMNS({ .name = "text", .type = WEIR_STRING },
                                      { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                                      { .name = "_fivetran_id", .type = WEIR_STRING, .key = true }) };
    const weir_table *t = weir__probe_create(p, &table);

    for (int i = 0; i < 2; i++) {
        (weir_harness_put)(p->h, t, WEIR_REPLACE,
                           WEIR_CELLS(weir_string("text", "a"), weir_string("_fivetran_id", "b_-Z")));
        (weir_harness_put)(p->h, t, WEIR_REPLACE,
                           WEIR_CELLS(weir_string("text", "b"), weir_string("_fivetran_id", "B_-Z")));
        weir__probe_write(p, t);
    }
    weir__probe_compare(p);
}

/* --- keys --- */

/* One row that comes twice under keys of the same value. */
static void same_key(const weir_probe_run *p, weir_type type, const char *first, const char *second)
{
    weir_column columns[] = { { .name = "k", .type = type, .key = true },
                              { .name = "part", .type = WEIR_BOOLEAN, .key = true },
                              { .name = "text", .type = WEIR_STRING } };
    weir_table table = { .columns = columns, .column_count = 3 };
    const weir_table *t;
    const char *const texts[] = { first, second };

    if (type == WEIR_DECIMAL)
        columns[0].params = (weir_params){ .precision = 10, .scale = 3 };
    t = weir__probe_create(p, &table);
    for (int i = 0; i < 2; i++) {
        weir_cell key = weir__cell("k", type, WEIR_VALUE);

        if (type == WEIR_DECIMAL)
            key = weir_decimal("k", texts[i]);
        else if (type == WEIR_DOUBLE)
            key.as.real = i == 0 ? 1.5 : 1.50;
        else if (!weir_time_parse(type, texts[i], strlen(texts[i]), &key.as.time))
            return;
        (weir_harness_put)(p->h, t, i == 0 ? WEIR_REPLACE : WEIR_UPDATE,
                           WEIR_CELLS(key, weir_boolean("part", true), weir_string("text", texts[i])));
        (weir_harness_put)(p->h, t, WEIR_REPLACE,
                           WEIR_CELLS(key, weir_boolean("part", false), weir_string("text", "other")));
        weir__probe_write(p, t);
    }
    weir__probe_compare(p);
}

void weir__probe_keys(const weir_probe_run *p)
{
    same_key(p, WEIR_DECIMAL, "1.5", "1.500");
    same_key(p, WEIR_DOUBLE, "1.5", "1.50");
    same_key(p, WEIR_NAIVE_DATE, "2007-12-03", "2007-12-03");
    same_key(p, WEIR_NAIVE_DATETIME, "2007-12-03T10:15:30", "2007-12-03T10:15:30.000");
    same_key(p, WEIR_UTC_DATETIME, "2007-12-03T10:15:30Z", "2007-12-03T10:15:30.000Z");
}
