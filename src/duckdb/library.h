/* duckdb/library: the functions of libduckdb.so, taken from it by name when it is first needed. */
#ifndef DUCKDB_LIBRARY_H
#define DUCKDB_LIBRARY_H

#include <duckdb.h>

#include "base/error.h"

/* What we call, each without its "duckdb_". */
#define DUCK_FUNCTIONS(F)               \
    F(append_data_chunk)                \
    F(appender_add_column)              \
    F(appender_column_type)             \
    F(appender_create_ext)              \
    F(appender_destroy)                 \
    F(appender_error_data)              \
    F(appender_flush)                   \
    F(bind_blob)                        \
    F(bind_boolean)                     \
    F(bind_date)                        \
    F(bind_double)                      \
    F(bind_float)                       \
    F(bind_int16)                       \
    F(bind_int32)                       \
    F(bind_int64)                       \
    F(bind_null)                        \
    F(bind_time)                        \
    F(bind_timestamp)                   \
    F(bind_timestamp_tz)                \
    F(bind_varchar_length)              \
    F(close)                            \
    F(column_count)                     \
    F(column_logical_type)              \
    F(column_name)                      \
    F(connect)                          \
    F(create_config)                    \
    F(create_data_chunk)                \
    F(data_chunk_get_size)              \
    F(data_chunk_get_vector)            \
    F(data_chunk_reset)                 \
    F(data_chunk_set_size)              \
    F(decimal_scale)                    \
    F(decimal_width)                    \
    F(destroy_config)                   \
    F(destroy_data_chunk)               \
    F(destroy_error_data)               \
    F(destroy_logical_type)             \
    F(destroy_pending)                  \
    F(destroy_prepare)                  \
    F(destroy_result)                   \
    F(disconnect)                       \
    F(error_data_message)               \
    F(execute_pending)                  \
    F(execute_prepared)                 \
    F(fetch_chunk)                      \
    F(free)                             \
    F(get_type_id)                      \
    F(library_version)                  \
    F(logical_type_get_alias)           \
    F(nparams)                          \
    F(open_ext)                         \
    F(pending_error)                    \
    F(pending_prepared_streaming)       \
    F(prepare)                          \
    F(prepare_error)                    \
    F(query)                            \
    F(result_error)                     \
    F(result_error_type)                \
    F(rows_changed)                     \
    F(set_config)                       \
    F(vector_assign_string_element_len) \
    F(vector_ensure_validity_writable)  \
    F(vector_get_data)                  \
    F(vector_get_validity)              \
    F(vector_size)

typedef struct duck_functions {
#define DUCK_MEMBER(name) __typeof__(&duckdb_##name) name;
    DUCK_FUNCTIONS(DUCK_MEMBER)
#undef DUCK_MEMBER
} duck_functions;

/* All of them; valid once duck_load has returned WEIR_OK, to the end of the program. */
extern duck_functions duck_api;

#endif
