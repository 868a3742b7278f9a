/*
 * tester/source_findings: what the source tester has found wrong, each kind once per table and column.
 *
 * A finding cites the rule of protocol/rules.md that it comes from, says what was seen and what to do, and
 * counts how often it was seen. One thread at a time.
 */
#ifndef WEIR_TESTER_SOURCE_FINDINGS_H
#define WEIR_TESTER_SOURCE_FINDINGS_H

#include <jansson.h>

#include <weir/base.h>

#include "base/buf.h"

typedef enum finding_severity {
    FINDING_NOTE,    /* worth knowing; never fails a run */
    FINDING_WARNING, /* shown; never fails a run */
    FINDING_ERROR    /* fails a run in the production profile */
} finding_severity;

/* What can be found; the table in source_findings.c gives each its name, rule, severity and advice. */
typedef enum finding_code {
    FINDING_BATCH_COUNT,
    FINDING_BATCH_SIZE,
    FINDING_KEY_MISSING,
    FINDING_KEYLESS_UPDATE,
    FINDING_UPDATE_EMPTY,
    FINDING_UPDATE_WHOLE,
    FINDING_DELETE_EXTRA,
    FINDING_TRUNCATE_DATA,
    FINDING_UPSERT_PARTIAL,
    FINDING_MALFORMED,
    FINDING_UTF8,
    FINDING_NANOS,
    FINDING_NAIVE_TIME,
    FINDING_VALUE_UNSET,
    FINDING_VALUE_FORM,
    FINDING_TYPE_DIFFERS,
    FINDING_TYPE_INFERRED,
    FINDING_KEYLESS,
    FINDING_UNDECLARED_TABLE,
    FINDING_UNDECLARED_COLUMN,
    FINDING_ALL_NULL,
    FINDING_NAME_COLLISION,
    FINDING_NAME_CASE,
    FINDING_NAME_SYSTEM,
    FINDING_SCHEMA_INVALID,
    FINDING_SCHEMA_CHANGED,
    FINDING_CHECKPOINT_NONE,
    FINDING_CHECKPOINT_GAP,
    FINDING_STATE_NO_JSON,
    FINDING_STATE_SIZE,
    FINDING_STATE_GROWS,
    FINDING_STATE_SAME,
    FINDING_TASK,
    FINDING_AFTER_TASK,
    FINDING_WARNING_SENT,
    FINDING_TRUNCATE_LATE,
    FINDING_TRUNCATE_RESUMED,
    FINDING_SELECTION_TABLE,
    FINDING_SELECTION_COLUMN,
    FINDING_SELECTION_KEY,
    FINDING_PRECISION_LOST,
    FINDING_NOT_APPLIED,
    FINDING_ROWS_DIFFER,
    FINDING_RESUME_DIFFERS,
    FINDING_RESTART_DIFFERS,
    FINDING_ORIGIN_MOVES,
    FINDING_CANCEL_SLOW,
    FINDING_GZIP,
    FINDING_CODE_COUNT
} finding_code;

typedef struct finding {
    finding_code code;
    char *table;    /* "" where it is not about one */
    char *column;   /* likewise */
    char *text;     /* what was seen first */
    uint64_t count; /* times */
} finding;

typedef struct findings findings;

/* Owned by the caller; NULL when out of memory. */
findings *findings_new(uint64_t seed);
void findings_free(findings *all); /* accepts NULL */
/*
 * Counts a finding; the first of its code, table and column keeps its text. Table and column may be NULL.
 * Past the limits only the count of the rest goes up. Out of memory is remembered: see findings_complete.
 */
void findings_add(findings *all, finding_code code, const char *table, const char *column, const char *format,
                  ...) WEIR_PRINTF(5, 6);
/* As findings_add with the text of an earlier one of the same kind; false when there is none. Cheap. */
bool findings_again(findings *all, finding_code code, const char *table, const char *column);
/* Memory ran out before something could be judged. */
void findings_lose(findings *all);
/* False when memory ran out and a finding was lost. */
bool findings_complete(const findings *all);
size_t findings_count(const findings *all);
const finding *findings_get(const findings *all, size_t index);
/* Kinds of findings of that severity. */
size_t findings_of(const findings *all, finding_severity severity);

const char *finding_name(finding_code code); /* "key-missing"; static, as are the next two */
const char *finding_rule(finding_code code); /* "R-SRC-02" */
const char *finding_advice(finding_code code);
finding_severity finding_get_severity(finding_code code);
const char *finding_severity_name(finding_severity severity); /* "error" */

/* Appends the finding as a sentence for people, without a line's end. False: memory. */
bool finding_print(const finding *item, weir_buf *out) WEIR_CHECKED;
/* How often something was found that there was no room for. */
uint64_t findings_rest(const findings *all);
/*
 * A JSON array with a member per finding; with `lenient` errors are called warnings; owned by the caller.
 * NULL: memory.
 */
json_t *findings_json(const findings *all, bool lenient);

#endif
