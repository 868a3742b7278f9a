/* record/request: what a request says about its table and its batch files, and a request made anew. */
#ifndef WEIR_RECORD_REQUEST_H
#define WEIR_RECORD_REQUEST_H

#include <wire/v2.h>

#include "base/limits.h"
#include "record/method.h"
#include "record/rewrite.h"

/* Schema and table that a request is about; empty where it names none. Borrowed from the request. */
typedef struct record_subject {
    weir_bytes schema;
    weir_bytes table;
} record_subject;

weir_status record_subject_find(const record_method *method, weir_bytes request, record_subject *out,
                                weir_error *err);
/* The same as text: "schema.table", "table" or "". */
void record_subject_print(const record_subject *subject, char *out, size_t size);

/* A batch file of a request, as it is to be named in the new one. */
typedef struct record_batch_file {
    weir_bytes name; /* in the recording */
    weir_bytes path;
    unsigned char key[WEIR_BATCH_KEY_SIZE];
} record_batch_file;

/* Appends `request` with another configuration, and with paths and keys of these files. */
typedef struct record_renewal {
    const v2_string_entry *config;
    size_t config_count;
    const record_batch_file *files;
    size_t file_count;
} record_renewal;

weir_status record_request_renew(const record_method *method, weir_bytes request,
                                 const record_renewal *renewal, weir_buf *out, weir_error *err);

#endif
