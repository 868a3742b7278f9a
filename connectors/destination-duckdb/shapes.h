/*
 * destination-duckdb/shapes: columns of tables as the catalogue last told them.
 *
 * DuckDB lists the columns of all tables whenever it is asked for those of one, so every request would take
 * longer the more tables there are. But the file belongs to this process alone, and a request that may change
 * a table holds its name: what was read stays true until such a request ends, which forgets it.
 *
 * Any thread; nothing here leaves by weir_alloc's jump while a lock is held.
 */
#ifndef DUCKDB_SHAPES_H
#define DUCKDB_SHAPES_H

#include <weir/sql.h>

typedef struct shapes shapes;

/* NULL: out of memory. Owned by the caller. */
shapes *shapes_new(void);
void shapes_free(shapes *all); /* accepts NULL */

/* Grows when anything is forgotten; taken before the catalogue is read, for shapes_keep. */
uint64_t shapes_age(shapes *all);
/* The columns of a table of this name, in the call's memory; false when they are not known. */
bool shapes_find(shapes *all, weir_call *call, const char *name, const weir_sql_found **columns,
                 size_t *count);
/*
 * Keeps what the catalogue has told since `age`, unless something was forgotten meanwhile; texts are copied.
 * Without memory for it nothing is kept.
 */
void shapes_keep(shapes *all, uint64_t age, const char *name, const weir_sql_found *columns, size_t count);
/* The table changes. */
void shapes_forget(shapes *all, const char *name);

#endif
