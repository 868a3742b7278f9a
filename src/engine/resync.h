/*
 * engine/resync: everything is read again, or one table is: the source's state is reset, and when a stream
 * has ended well, rows that did not come again are marked deleted by a Truncate with a cut-off that lies
 * between the old rows and the new ones (R-ENG-12). Until then the cut-off is stored, so a re-sync may take
 * several runs. Rows stay visible meanwhile.
 *
 * A state is the source's own business. One table can be read again when the state keeps its progress apart,
 * as sources on libweir have it: {"tables": {"schema.table": …}, "tables_of": "weir"}. A '.' or '\' in a name
 * has a '\' before it. Without the mark "tables" may mean anything, and rows that do not come again would be
 * marked deleted.
 */
#ifndef WEIR_ENGINE_RESYNC_H
#define WEIR_ENGINE_RESYNC_H

#include "engine/state.h"

/*
 * True when the state calls the table of this schema ("": none) and name `path`. A source without schemas may
 * have left out the '\': what can't be a name with its dots marked is the name as it is.
 */
bool resync_is_called(const char *path, const char *schema, const char *name);

/* The last sync that began a re-sync of this table which has not ended; 0: none. */
int64_t resync_began(const state_sweep *sweeps, size_t count, const engine_table *table);
/* True when the sweep is about the table; the empty name is of every table. */
bool resync_covers(const state_sweep *sweep, const engine_table *table);

/*
 * `sync` is the one that begins it. `table`: "schema.table", or "table" without schemas, with or without '\';
 * NULL: all. Durable when it returns. WEIR_FAILED, with nothing changed: the state does not keep that table
 * apart.
 */
weir_status resync_begin(state_store *store, const char *table, int64_t sync, int64_t wall_ms,
                         weir_error *err);

#endif
