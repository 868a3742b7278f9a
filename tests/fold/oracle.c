/*
 * The rules, row by row: R-SRC-02 for what operations mean, R-ENG-05 for the marks, R-HIS-02, R-HIS-03 and
 * R-HIS-04 for versions. An update of a row that was deleted begins a version from the last one's values, for
 * that is what the as-of rule says. A truncate ends no versions (engine/ingest_history.c).
 */
#include "oracle.h"

#include <stddef.h>

void operation_cells(const operation *o, int cells[2])
{
    int p = o->position;

    cells[0] = UNMODIFIED;
    cells[1] = UNMODIFIED;
    if (o->kind == OP_UPSERT) {
        cells[0] = 100 + p;
        cells[1] = p % 2 ? NULL_VALUE : 200 + p; /* the second is left out then */
    } else if (o->kind == OP_UPDATE) {
        cells[p % 2] = p % 3 ? 300 + p : NULL_VALUE;
    }
}

static void apply_history(oracle *t, const operation *o)
{
    oracle_version *versions = t->versions[o->key];
    int *count = &t->counts[o->key];
    oracle_version *last = *count > 0 ? &versions[*count - 1] : NULL;
    oracle_version next = { .active = true, .follows = last != NULL && last->active };
    int cells[2];

    operation_cells(o, cells);
    if (o->kind == OP_DELETE && last != NULL)
        last->active = false;
    if ((o->kind != OP_UPSERT && o->kind != OP_UPDATE) || (o->kind == OP_UPDATE && last == NULL))
        return;
    for (int i = 0; i < 2; i++)
        next.cells[i] = cells[i] != UNMODIFIED || last == NULL ? cells[i] : last->cells[i];
    if (last != NULL)
        last->active = false;
    versions[(*count)++] = next;
}

void oracle_apply(oracle *t, const operation *o)
{
    oracle_row *row = &t->rows[o->key];
    int cells[2];

    if (t->history) {
        apply_history(t, o);
        return;
    }
    operation_cells(o, cells);
    switch (o->kind) {
    case OP_UPSERT:
        *row = (oracle_row){ .there = true, .cells = { cells[0], cells[1] } };
        break;
    case OP_UPDATE:
        for (int i = 0; i < 2 && row->there; i++)
            if (cells[i] != UNMODIFIED)
                row->cells[i] = cells[i];
        break;
    case OP_DELETE:
        row->deleted = row->there;
        break;
    case OP_TRUNCATE:
        for (int k = 0; k < KEYS_MAX; k++)
            t->rows[k].deleted = t->rows[k].there;
        break;
    default:
        break;
    }
}
