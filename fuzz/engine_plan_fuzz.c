/*
 * A schema configuration: a file that people and programs edit. Attacks: what is accepted is written as a
 * text that is accepted again and written the same; notes only ever add, and change no answer about what was
 * listed; what is refused has a text that says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void write_plan(const plan *p, weir_buf *out)
{
    out->size = 0;
    must(plan_put(p, out, NULL) == WEIR_OK);
}

/* What notes beside a listed table must not change. */
static void note_beside(plan *p, const plan_schema *schema, const plan_table *table)
{
    weir_bytes s = weir__text(schema->name);
    weir_bytes t = weir__text(table->name);
    weir_bytes fresh = { "a name that is new", 18 };
    bool wanted = plan_wants_table(p, s, t);
    bool next = plan_wants_column(p, s, t, fresh);
    size_t columns = table->columns.count;

    must(plan_note(p, s, t, fresh, NULL) == WEIR_OK);
    must(plan_wants_table(p, s, t) == wanted);
    must(table->columns.count <= columns + 1);
    if (wanted)
        must(plan_wants_column(p, s, t, fresh) == next);
    else
        must(table->columns.count == columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_bytes text = { (const char *)data, size };
    plan *p = NULL;
    plan *again = NULL;
    weir_buf first;
    weir_buf second;
    weir_error err = { .text = "" };

    if (plan_parse(text, "f", &p, &err) != WEIR_OK) {
        must(err.text[0] != '\0');
        return 0;
    }
    weir__buf_init(&first, SIZE_MAX);
    weir__buf_init(&second, SIZE_MAX);
    write_plan(p, &first);
    must(plan_parse(weir__buf_bytes(&first), "f", &again, NULL) == WEIR_OK);
    write_plan(again, &second);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    for (size_t i = 0; i < p->schemas.count; i++) {
        plan_schema *schema = p->schemas.entries[i].value;

        for (size_t j = 0, count = schema->tables.count; j < count; j++)
            note_beside(p, schema, schema->tables.entries[j].value);
    }
    plan_free(again);
    again = NULL;
    write_plan(p, &first);
    must(plan_parse(weir__buf_bytes(&first), "f", &again, NULL) == WEIR_OK);
    plan_free(again);
    plan_free(p);
    weir__buf_clear(&first);
    weir__buf_clear(&second);
    return 0;
}
