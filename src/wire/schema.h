/*
 * wire/schema: the schema itself, for server reflection and for whoever needs to list it.
 *
 * One entry for each file of protocol/ and for each file those import, generated at build time. All static;
 * any thread.
 */
#ifndef WEIR_WIRE_SCHEMA_H
#define WEIR_WIRE_SCHEMA_H

#include <weir/base.h>

typedef struct weir_schema_file {
    const char *name;                              /* as imports spell it: "v2_common.proto" */
    weir_bytes descriptor;                         /* a serialized google.protobuf.FileDescriptorProto */
    const struct weir_schema_file *const *imports; /* `import_count` files, direct imports only */
    size_t import_count;
} weir_schema_file;

/* The file called `name`; NULL when there is none. Static. */
const weir_schema_file *weir__schema_file(weir_bytes name);
/*
 * The file that declares `symbol`: a fully qualified service, method, message, field, oneof, enum or enum
 * value, as in "fivetran_sdk.v2.SourceConnector.Update"; NULL when none does. Static.
 */
const weir_schema_file *weir__schema_file_of(weir_bytes symbol);

#endif
