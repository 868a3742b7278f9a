/*
 * engine/plan_edit: a schema configuration changed the way people say it, compared with another one, and
 * brought up to date with what a source has.
 *
 * Objects are called SCHEMA, SCHEMA.TABLE and SCHEMA.TABLE.COLUMN; of a source without schemas TABLE and
 * TABLE.COLUMN. A name with a dot, comma, equals sign, quote or blank stands in double quotes, a quote within
 * it is doubled. Lists are parted by commas. What a source has is itself a plan here, `seen`: all of it
 * listed, on, with its keys. Pure. One thread at a time.
 */
#ifndef WEIR_ENGINE_PLAN_EDIT_H
#define WEIR_ENGINE_PLAN_EDIT_H

#include "engine/plan.h"

/* What is wanted; NULL: nothing of that kind. */
typedef struct plan_wish {
    const char *handling; /* "BLOCK_ALL" */
    const char *naming;
    const char *enable;  /* a list of objects */
    const char *disable; /* columns of a key cannot be */
    const char *hash;    /* columns */
    const char *unhash;
    const char *mode; /* SCHEMA.TABLE=HISTORY, a list */
    /*
     * Objects that nothing lists yet are listed, of a source that does not tell what it has: "tables" when it
     * has no schemas, else "schemas".
     */
    const char *unlisted;
} plan_wish;

/* One way in which two plans differ. In the arena of plan_diff. */
typedef struct plan_difference {
    const char *path;   /* of the object, as above; "" for the whole */
    const char *what;   /* static: "synced", "hashed", "mode", "key", "parts", or the file's member */
    const char *before; /* static; NULL: it is not listed */
    const char *after;
} plan_difference;

typedef struct plan_differences {
    plan_difference *items;
    size_t count;
} plan_differences;

/*
 * Lists what the source has and the plan has not, in the state that the handling gives it; key columns are
 * on. What is listed stays as it is, but is told whether it is part of the key.
 */
weir_status plan_reload(plan *p, const plan *seen, weir_error *err) WEIR_CHECKED;
/*
 * Applies a wish: the handling first, then, if `seen` is not NULL, plan_reload, then schemas, tables and
 * columns in this order. Turning on a part of what is off turns that on with this part alone. Refused, with
 * names that are near: what neither the plan nor `seen` lists, unless the wish has `unlisted`. A plan whose
 * change was refused is to be thrown away.
 */
weir_status plan_apply(plan *p, const plan *seen, const plan_wish *wish, weir_error *err) WEIR_CHECKED;
/* How to get from `a` to `b`. *out, in `arena`, borrows nothing. */
weir_status plan_diff(const plan *a, const plan *b, weir_arena *arena, plan_differences *out,
                      weir_error *err) WEIR_CHECKED;
/*
 * How the plan differs from what the source has: parts that are not listed, with the state that they would
 * get, keys, and parts that are gone ("source": "there" → "gone"). Changes `p` as plan_reload does.
 */
weir_status plan_diff_source(plan *p, const plan *seen, weir_arena *arena, plan_differences *out,
                             weir_error *err) WEIR_CHECKED;
/* The object as lists call it; `table` and `column` may be empty. NULL: memory. */
char *plan_path(weir_arena *arena, weir_bytes schema, weir_bytes table, weir_bytes column);

#endif
