/*
 * wire/codec: protobuf messages to C structs and back, driven by tables.
 *
 * The tables and the structs are generated from protocol/ at build time: `#include <wire/v2.h>` (also
 * wire/health.h and wire/reflection.h) declares for the message fivetran_sdk.v2.SchemaResponse the struct
 * `v2_schema_response` and the table `weir__v2_schema_response`, for its enum DataType the constants
 * `V2_DATA_TYPE_LONG`, and for each RPC its path `V2_SOURCE_CONNECTOR_SCHEMA_PATH`. How fields look in the
 * struct:
 *
 *   bool, int32, string, …       `bool required; int32_t type; weir_bytes name;`; enums are int32_t, for a
 *                                peer may know more of them
 *   optional scalar or string    `bool has_state_json; weir_bytes state_json;`
 *   message                      `const v2_table *table;` NULL when absent
 *   oneof                        `which_response`, V2_SCHEMA_RESPONSE_WITH_SCHEMA or …_RESPONSE_NOT_SET (0),
 *                                and the union `response` with a member per field:
 *                                `reply.response.with_schema->schemas[0].name`
 *   repeated                     `const v2_column *columns; size_t columns_count;`
 *   map                          `const v2_string_entry *configuration; size_t configuration_count;` with
 *                                members `key` and `value`; maps of one type share the struct
 *   google.protobuf.Timestamp    `const weir_time *utc_delete_before;`
 *   names that are keywords      an underscore is added: `int_`, `bool_`
 *
 * A struct of zeroes is the empty message. Pure; tables are static; any thread.
 */
#ifndef WEIR_WIRE_CODEC_H
#define WEIR_WIRE_CODEC_H

#include <weir/base.h>
#include <weir/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* How a field's value is written. gen-codec refuses the kinds that our wire does not use. */
typedef enum weir_codec_kind {
    WEIR_CODEC_BOOL,
    WEIR_CODEC_INT32, /* enums too */
    WEIR_CODEC_INT64,
    WEIR_CODEC_UINT32,
    WEIR_CODEC_FLOAT,
    WEIR_CODEC_DOUBLE,
    WEIR_CODEC_STRING, /* UTF-8 */
    WEIR_CODEC_BYTES,
    WEIR_CODEC_MESSAGE
} weir_codec_kind;

/* How a field is present. */
typedef enum weir_codec_label {
    WEIR_CODEC_SINGULAR, /* written unless zero or empty; a message unless NULL */
    WEIR_CODEC_OPTIONAL, /* `presence` is a bool */
    WEIR_CODEC_ONEOF,    /* `presence` is a uint32_t holding the number of the member that is set */
    WEIR_CODEC_REPEATED, /* `presence` is a size_t, the count */
    WEIR_CODEC_MAP       /* the same; `message` is the entry, its fields 1 and 2 the key and the value */
} weir_codec_label;

struct weir_codec_message;

typedef struct weir_codec_field {
    const char *name;
    const struct weir_codec_message *message; /* of MESSAGE kind and of maps */
    uint32_t number;
    uint16_t offset;   /* of the value in the struct, bytes */
    uint16_t presence; /* of what weir_codec_label says, bytes */
    uint8_t kind;      /* weir_codec_kind */
    uint8_t label;     /* weir_codec_label */
} weir_codec_field;

typedef struct weir_codec_message {
    const char *name;               /* as in "fivetran_sdk.v2.Table" */
    const weir_codec_field *fields; /* by number, ascending */
    size_t field_count;
    size_t size; /* of the struct, bytes */
} weir_codec_message;

/* google.protobuf.Timestamp as a weir_time. */
extern const weir_codec_message weir__codec_timestamp;

/*
 * Reads one whole message of kind `type` into the struct at `out`, as protobuf's own parsers would: unknown
 * fields and fields of another wire type are skipped, packed and unpacked numbers are taken, of a singular
 * field the last counts (messages are merged), of a oneof the last member, of equal map keys the last.
 * Refused are cut or overlong lengths and numbers, field number 0, bad groups, text that is no UTF-8, and
 * nesting deeper than WEIR_MESSAGE_DEPTH_MAX; Timestamps are not checked for range. Texts and bytes are
 * borrowed from `in`; everything else is allocated in `arena`, whose maximum bounds what a hostile message
 * can cost. Fails with `out` untouched.
 */
weir_status weir__codec_decode(const weir_codec_message *type, weir_bytes in, weir_arena *arena, void *out,
                               weir_error *err) WEIR_CHECKED;

/*
 * Appends the message in the struct at `message` to `out`, fields by number, maps in the order given. A
 * member of a oneof that is a NULL message is written as the empty message. Fails, `out` as before, when
 * memory or the buffer's maximum runs out, when a text is no UTF-8, or when nesting exceeds
 * WEIR_MESSAGE_DEPTH_MAX.
 */
weir_status weir__codec_encode(const weir_codec_message *type, const void *message, weir_buf *out,
                               weir_error *err) WEIR_CHECKED;

#endif
