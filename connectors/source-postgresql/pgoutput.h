/*
 * source-postgresql/pgoutput: the messages of logical replication, as PostgreSQL's plug-in `pgoutput` writes
 * them in version 1 of its protocol: committed transactions, one after the other, each whole.
 *
 *   frame    'w' int64 position, int64 end, int64 time, message      a piece of the stream
 *            'k' int64 end, int64 time, byte reply                    a sign of life
 *   message  'B' int64 commit, int64 time, int32 transaction          begin
 *            'C' byte 0, int64 commit, int64 end, int64 time          commit
 *            'R' int32 relation, text schema, text name, byte identity, int16 n,
 *                n × (byte flags, text name, int32 type, int32 modifier)
 *            'I' int32 relation, 'N' tuple
 *            'U' int32 relation, [ 'K' or 'O' tuple ], 'N' tuple
 *            'D' int32 relation, 'K' or 'O' tuple
 *            'T' int32 n, byte flags, n × int32 relation
 *            'O' int64, text    'Y' int32, text, text                 of no interest
 *   tuple    int16 n, n × ('n' NULL, 'u' unchanged and not sent, 't' int32 size, bytes)
 *
 * Numbers are big-endian, texts end with NUL. The bytes come from outside and are not trusted: what does not
 * fit to the byte is refused. Pure: no memory of its own, no clock; any thread.
 */
#ifndef SOURCE_POSTGRESQL_PGOUTPUT_H
#define SOURCE_POSTGRESQL_PGOUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PGOUTPUT_COLUMNS_MAX 1664 /* of a tuple: PostgreSQL's MaxTupleAttributeNumber */
#define PGOUTPUT_STATUS_SIZE 34

typedef enum pgoutput_kind {
    PGOUTPUT_BEGIN,
    PGOUTPUT_COMMIT,
    PGOUTPUT_RELATION,
    PGOUTPUT_INSERT,
    PGOUTPUT_UPDATE,
    PGOUTPUT_DELETE,
    PGOUTPUT_TRUNCATE,
    PGOUTPUT_OTHER /* well formed, and nothing that changes a row */
} pgoutput_kind;

/* One field of a tuple. `data` is borrowed from the message and not terminated. */
typedef struct pgoutput_field {
    char kind; /* 'n', 'u' or 't' */
    const char *data;
    size_t size;
} pgoutput_field;

typedef struct pgoutput_tuple {
    size_t count; /* 0: there is none */
    pgoutput_field fields[PGOUTPUT_COLUMNS_MAX];
} pgoutput_tuple;

typedef struct pgoutput_column {
    const char *name; /* borrowed from the message */
    uint32_t type;    /* pg_type's oid; of a domain its own */
    int32_t modifier;
    bool key; /* of the replica identity */
} pgoutput_column;

/* A message. Large: meant for the heap, and to be used for all messages of a stream. */
typedef struct pgoutput_message {
    pgoutput_kind kind;
    uint64_t commit;      /* BEGIN, COMMIT: position of the commit record */
    uint64_t end;         /* COMMIT: position behind it */
    uint32_t transaction; /* BEGIN: low half of its id */
    uint32_t relation;    /* RELATION, INSERT, UPDATE, DELETE: oid */
    const char *schema;
    const char *name;
    char identity; /* RELATION: 'd', 'i', 'f', 'n' */
    size_t column_count;
    char old_kind; /* UPDATE, DELETE: 'K' the key only, 'O' the whole old row, 0 none */
    pgoutput_column columns[PGOUTPUT_COLUMNS_MAX];
    pgoutput_tuple old_row;
    pgoutput_tuple new_row;
    const char *relations; /* TRUNCATE */
    size_t relation_count;
} pgoutput_message;

typedef struct pgoutput_frame {
    bool keepalive;
    bool reply;        /* keepalive: an answer is wanted at once */
    uint64_t position; /* data: of the change */
    uint64_t end;      /* keepalive: up to here everything has been sent */
    const char *data;
    size_t size;
} pgoutput_frame;

/* False: malformed; *out then holds nothing of use. What it points to is borrowed from `data`. */
bool pgoutput_frame_read(const char *data, size_t size, pgoutput_frame *out);
/* The same for what a frame carries. Sets only the members that its kind names above. */
bool pgoutput_read(const char *data, size_t size, pgoutput_message *out);
/* The oid of a truncated relation; `index` is below relation_count. */
uint32_t pgoutput_truncated(const pgoutput_message *message, size_t index);

/* What a receiver says about itself: received up to `received`, safe up to `safe`; `now` since 2000, µs. */
void pgoutput_status_write(char out[PGOUTPUT_STATUS_SIZE], uint64_t received, uint64_t safe, int64_t now,
                           bool reply);

/* "16/B374D848" to a number and back. False unless `text` is such a position, whole. */
#define PGOUTPUT_LSN_SIZE 18
bool pgoutput_lsn_read(const char *text, uint64_t *out);
void pgoutput_lsn_write(uint64_t lsn, char out[PGOUTPUT_LSN_SIZE]);

#endif
