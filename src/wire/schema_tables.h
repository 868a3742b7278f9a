/* wire/schema_tables: what the generated schema.c provides to schema.c. Static; any thread. */
#ifndef WEIR_WIRE_SCHEMA_TABLES_H
#define WEIR_WIRE_SCHEMA_TABLES_H

#include "wire/schema.h"

typedef struct weir_schema_symbol {
    const char *name;
    size_t file; /* index into weir__schema_files */
} weir_schema_symbol;

extern const weir_schema_file weir__schema_files[];
extern const size_t weir__schema_file_count;
extern const weir_schema_symbol weir__schema_symbols[]; /* sorted by name, byte by byte */
extern const size_t weir__schema_symbol_count;

#endif
