/* sdk/migrate: the operations of Migrate, from the wire's nested messages to the flat public struct. */
#ifndef WEIR_SDK_MIGRATE_H
#define WEIR_SDK_MIGRATE_H

#include <weir/destination.h>

#include "base/arena.h"
#include "base/error.h"
#include "wire/v2.h"

/*
 * Checks and flattens one migration; everything in *out is in `arena`. WEIR_UNSUPPORTED: from or to live mode
 * (R-MIG-05), or an operation that this version does not know. WEIR_FAILED: a name is missing or bad, a
 * timestamp is none.
 */
weir_status weir__migration_from_wire(const v2_migration_details *details, weir_arena *arena,
                                      weir_migration *out, weir_error *err) WEIR_CHECKED;

#endif
