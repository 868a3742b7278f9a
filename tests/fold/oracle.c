/* The rules, row by row: R-SRC-02 for what operations mean, R-ENG-05 for the marks. */
#include "oracle.h"

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

void oracle_apply(oracle *t, const operation *o)
{
    oracle_row *row = &t->rows[o->key];
    int cells[2];

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
