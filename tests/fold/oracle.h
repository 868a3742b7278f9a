/*
 * A table as the rules leave it when operations are applied one by one, in plain arrays: the first opinion.
 * Nothing of the engine or of src/model is used here.
 */
#ifndef WEIR_TESTS_FOLD_ORACLE_H
#define WEIR_TESTS_FOLD_ORACLE_H

#include <stdbool.h>

#define KEYS_MAX 8
#define OPERATIONS_MAX 48
#define NULL_VALUE (-2)
#define UNMODIFIED (-3)

typedef enum operation_kind {
    OP_UPSERT,
    OP_UPDATE,
    OP_DELETE,
    OP_TRUNCATE,
    OP_CHECKPOINT
} operation_kind;

typedef struct operation {
    operation_kind kind;
    int key;
    int position; /* what the values follow from */
} operation;

/* The cells of columns `a` and `b` that an operation sends. */
void operation_cells(const operation *o, int cells[2]);

typedef struct oracle_row {
    bool there;
    bool deleted;
    int cells[2];
} oracle_row;

/* A version of a row in history mode. */
typedef struct oracle_version {
    int cells[2];
    bool active;
    bool follows; /* it begins when the one before ends */
} oracle_version;

typedef struct oracle {
    bool history;
    oracle_row rows[KEYS_MAX];                         /* soft delete mode */
    oracle_version versions[KEYS_MAX][OPERATIONS_MAX]; /* history mode */
    int counts[KEYS_MAX];
} oracle;

void oracle_apply(oracle *t, const operation *o);

#endif
