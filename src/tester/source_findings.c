/* tester/source_findings: a table of kinds, and a list of what was found. */
#include "tester/source_findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"

#define KEY_SIZE (2 * WEIR_NAME_SIZE_MAX + 8)
#define TEXT_SIZE 1024

typedef struct kind {
    const char *name;
    const char *rule;
    finding_severity severity;
    const char *advice;
} kind;

static const kind kinds[FINDING_CODE_COUNT] = {
    [FINDING_BATCH_COUNT] = { "batch-count", "R-SRC-03", FINDING_ERROR,
                              "Send the batch when it has 100 records." },
    [FINDING_BATCH_SIZE] = { "batch-size", "R-SRC-03", FINDING_WARNING,
                             "Send the batch before it passes 100,000 bytes, and a larger record alone." },
    [FINDING_KEY_MISSING] = { "key-missing", "R-SRC-02", FINDING_ERROR,
                              "Give every record a value in each key column, or declare another key." },
    [FINDING_KEYLESS_UPDATE] = { "keyless-update", "R-SRC-02", FINDING_ERROR,
                                 "Declare a key, or send whole rows as UPSERT." },
    [FINDING_UPDATE_EMPTY] = { "update-empty", "R-SRC-02", FINDING_WARNING,
                               "Leave out an UPDATE that changes nothing." },
    [FINDING_UPDATE_WHOLE] = { "update-whole", "R-SRC-02", FINDING_NOTE,
                               "Send changed columns only, or the whole row as UPSERT, which also makes a "
                               "row that is missing." },
    [FINDING_DELETE_EXTRA] = { "delete-extra", "R-SRC-02", FINDING_WARNING,
                               "Send nothing but the key columns in a DELETE." },
    [FINDING_TRUNCATE_DATA] = { "truncate-data", "R-SRC-02", FINDING_WARNING,
                                "Send a TRUNCATE without data." },
    [FINDING_UPSERT_PARTIAL] = { "upsert-partial", "R-SRC-02", FINDING_NOTE,
                                 "A column left out of an UPSERT becomes NULL; send it if it has a value, or "
                                 "send an UPDATE." },
    [FINDING_MALFORMED] = { "malformed", "R-SRC-02", FINDING_ERROR,
                            "Write messages with the protocol's own classes." },
    [FINDING_UTF8] = { "utf8", "R-SRC-07", FINDING_ERROR,
                       "Replace malformed bytes before sending, or send the column as BINARY." },
    [FINDING_NANOS] = { "nanos", "R-SRC-07", FINDING_ERROR,
                        "Before 1970, round the seconds down and count nanos upwards from there." },
    [FINDING_NAIVE_TIME] = { "naive-time", "R-SRC-07", FINDING_ERROR,
                             "Send a time of day as STRING or NAIVE_DATETIME." },
    [FINDING_VALUE_UNSET] = { "value-unset", "R-SRC-02", FINDING_ERROR,
                              "Set a member of ValueType; NULL is `null: true`." },
    [FINDING_VALUE_FORM] = { "value-form", "R-SRC-07", FINDING_ERROR,
                             "Send a value of the form that its type has." },
    [FINDING_TYPE_DIFFERS] = { "type-differs", "R-SRC-08", FINDING_ERROR,
                               "Send values of the declared type, or declare what is sent." },
    [FINDING_TYPE_INFERRED] = { "type-inferred", "R-SRC-08", FINDING_NOTE,
                                "Declare the type; an inferred one may change with the next value." },
    [FINDING_KEYLESS] = { "keyless", "R-ENG-06", FINDING_NOTE,
                          "Declare a key if there is one: without, equal rows are one row." },
    [FINDING_UNDECLARED_TABLE] = { "undeclared-table", "R-SRC-08", FINDING_NOTE,
                                   "Declare the table in Schema or SchemaChange; it has no key otherwise." },
    [FINDING_UNDECLARED_COLUMN] = { "undeclared-column", "R-SRC-08", FINDING_NOTE,
                                    "Declare the column in Schema or SchemaChange." },
    [FINDING_ALL_NULL] = { "all-null", "R-SRC-08", FINDING_NOTE,
                           "Declare a type; a column without type and values is not created." },
    [FINDING_NAME_COLLISION] = { "name-collision", "R-ENG-22", FINDING_ERROR,
                                 "Rename one of them; a platform that normalises names cannot keep both." },
    [FINDING_NAME_CASE] = { "name-case", "R-DST-08", FINDING_WARNING,
                            "Many stores do not tell names apart that differ in case only." },
    [FINDING_NAME_SYSTEM] = { "name-system", "R-DST-09", FINDING_WARNING,
                              "Choose a name that does not begin with _fivetran_; the column is left out." },
    [FINDING_SCHEMA_INVALID] = { "schema-invalid", "R-SRC-10", FINDING_ERROR, "Correct the declaration." },
    [FINDING_SCHEMA_CHANGED] = { "schema-changed", "R-SRC-10", FINDING_NOTE,
                                 "Nothing needs doing; tables are altered in the course of a sync." },
    [FINDING_CHECKPOINT_NONE] = { "checkpoint-none", "R-SRC-04", FINDING_ERROR,
                                  "End the stream with a checkpoint that covers all records." },
    [FINDING_CHECKPOINT_GAP] = { "checkpoint-gap", "R-SRC-04", FINDING_WARNING,
                                 "Send checkpoints more often; what comes after the last is sent again." },
    [FINDING_STATE_NO_JSON] = { "state-no-json", "R-SRC-01", FINDING_ERROR,
                                "Send the state as a JSON object." },
    [FINDING_STATE_SIZE] = { "state-size", "R-SRC-01", FINDING_ERROR,
                             "Keep cursors in the state, not data; at most 10 MB are stored." },
    [FINDING_STATE_GROWS] = { "state-grows", "R-SRC-01", FINDING_WARNING,
                              "Keep cursors in the state, not lists; at most 10 MB are stored." },
    [FINDING_STATE_SAME] = { "state-same", "R-SRC-04", FINDING_NOTE,
                             "Move the cursor with the records, or a resumed sync sends them again." },
    [FINDING_TASK] = { "task", "R-SRC-06", FINDING_ERROR, "Do what the task says, then run again." },
    [FINDING_AFTER_TASK] = { "after-task", "R-SRC-06", FINDING_ERROR,
                             "Return right after the task; nothing behind it is taken in." },
    [FINDING_WARNING_SENT] = { "warning", "R-SRC-06", FINDING_WARNING, "It was shown; the sync went on." },
    [FINDING_TRUNCATE_LATE] = { "truncate-late", "R-SRC-09", FINDING_ERROR,
                                "Truncate a table before its first UPSERT, or its new rows are lost." },
    [FINDING_TRUNCATE_RESUMED] = { "truncate-resumed", "R-SRC-09", FINDING_WARNING,
                                   "Truncate only when the state shows no progress for the table." },
    [FINDING_SELECTION_TABLE] = { "selection-table", "R-SRC-05", FINDING_WARNING,
                                  "Do not send tables that are not selected." },
    [FINDING_SELECTION_COLUMN] = { "selection-column", "R-SRC-05", FINDING_WARNING,
                                   "Do not send columns that are not selected." },
    [FINDING_SELECTION_KEY] = { "selection-key", "R-SRC-05", FINDING_ERROR,
                                "Send key columns whatever the selection says." },
    [FINDING_PRECISION_LOST] = { "precision-lost", "R-BAT-08", FINDING_NOTE,
                                 "Nothing needs doing; DuckDB keeps microseconds, a platform keeps all." },
    [FINDING_NOT_APPLIED] = { "not-applied", "R-SRC-02", FINDING_ERROR,
                              "See the text; the sync ended there." },
    [FINDING_ROWS_DIFFER] = { "rows-differ", "R-ENG-01", FINDING_ERROR,
                              "Please report this; the tester's own writing is at fault." },
    [FINDING_RESUME_DIFFERS] = { "resume-differs", "R-ENG-03", FINDING_ERROR,
                                 "A checkpoint's state must lead to every row that came after it." },
    [FINDING_RESTART_DIFFERS] = { "restart-differs", "R-SRC-01", FINDING_ERROR,
                                  "Take an absent, an empty and a `{}` state for a fresh start alike." },
    [FINDING_ORIGIN_MOVES] = { "origin-moves", "R-ENG-03", FINDING_WARNING,
                               "Nothing is known then: check with an origin that stands still." },
    [FINDING_CANCEL_SLOW] = { "cancel-slow", "R-RPC-05", FINDING_WARNING,
                              "Look at the call's cancellation now and then, and return." },
    [FINDING_GZIP] = { "gzip", "R-RPC-03", FINDING_WARNING,
                       "Accept requests compressed with gzip; several platforms send them." },
};

struct findings {
    finding *items;
    size_t count;
    size_t capacity;
    uint64_t rest; /* not kept: over the limit */
    weir_map by_key;
    char **keys;
    bool lost;
};

const char *finding_name(finding_code code)
{
    return kinds[code].name;
}

const char *finding_rule(finding_code code)
{
    return kinds[code].rule;
}

const char *finding_advice(finding_code code)
{
    return kinds[code].advice;
}

finding_severity finding_get_severity(finding_code code)
{
    return kinds[code].severity;
}

const char *finding_severity_name(finding_severity severity)
{
    static const char *const names[] = { "note", "warning", "error" };

    return names[severity];
}

findings *findings_new(uint64_t seed)
{
    findings *all = weir__calloc(1, sizeof *all);

    if (all != NULL)
        weir__map_init(&all->by_key, seed);
    return all;
}

void findings_free(findings *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->count; i++) {
        weir__free(all->items[i].table);
        weir__free(all->items[i].column);
        weir__free(all->items[i].text);
        weir__free(all->keys[i]);
    }
    weir__map_clear(&all->by_key);
    weir__free(all->items);
    weir__free(all->keys);
    weir__free(all);
}

/* Names may be of any bytes when they come from a malformed message; they are repaired and cut. */
static char *copy_name(const char *name)
{
    size_t size = name ? weir__utf8_cut(name, strlen(name), WEIR_NAME_SIZE_MAX) : 0;
    char *out = weir__malloc(3 * size + 1);

    if (out != NULL)
        out[size > 0 ? weir__utf8_scrub(name, size, out) : 0] = '\0';
    return out;
}

static weir_bytes make_key(finding_code code, const char *table, const char *column, char out[KEY_SIZE])
{
    int size = snprintf(out, KEY_SIZE, "%d %.*s%c%.*s", (int)code, (int)WEIR_NAME_SIZE_MAX,
                        table ? table : "", '\n', (int)WEIR_NAME_SIZE_MAX, column ? column : "");

    return (weir_bytes){ out, size < 0 ? 0 : (size_t)size < KEY_SIZE ? (size_t)size : KEY_SIZE - 1 };
}

bool findings_again(findings *all, finding_code code, const char *table, const char *column)
{
    char key[KEY_SIZE];
    void *place = weir__map_get(&all->by_key, make_key(code, table, column, key));

    if (place == NULL)
        return false;
    all->items[(uintptr_t)place - 1].count++;
    return true;
}

static bool make_room(findings *all)
{
    size_t wanted = all->capacity ? all->capacity * 2 : 16;
    finding *items;
    char **keys;

    if (all->count < all->capacity)
        return true;
    items = weir__realloc_array(all->items, wanted, sizeof *items);
    if (items == NULL)
        return false;
    all->items = items;
    keys = weir__realloc_array(all->keys, wanted, sizeof *keys);
    if (keys == NULL)
        return false;
    all->keys = keys;
    all->capacity = wanted;
    return true;
}

static bool keep(findings *all, const finding *fresh, weir_bytes key)
{
    char *copy;

    if (fresh->table == NULL || fresh->column == NULL || fresh->text == NULL || !make_room(all))
        return false;
    copy = weir__copy_text(key.data, key.size);
    if (copy == NULL)
        return false;
    key.data = copy;
    if (!weir__map_put(&all->by_key, key, (void *)(uintptr_t)(all->count + 1))) {
        weir__free(copy);
        return false;
    }
    all->keys[all->count] = copy;
    all->items[all->count++] = *fresh;
    return true;
}

void findings_add(findings *all, finding_code code, const char *table, const char *column, const char *format,
                  ...)
{
    char text[TEXT_SIZE];
    char key[KEY_SIZE];
    finding fresh = { .code = code, .count = 1 };
    va_list args;

    if (findings_again(all, code, table, column))
        return;
    if (all->count == WEIR_FINDINGS_MAX) {
        all->rest++;
        return;
    }
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    fresh.table = copy_name(table);
    fresh.column = copy_name(column);
    fresh.text = weir__malloc(3 * strlen(text) + 1);
    if (fresh.text != NULL)
        fresh.text[weir__utf8_scrub(text, weir__utf8_cut(text, strlen(text), sizeof text), fresh.text)] =
            '\0';
    if (keep(all, &fresh, make_key(code, table, column, key)))
        return;
    all->lost = true;
    weir__free(fresh.table);
    weir__free(fresh.column);
    weir__free(fresh.text);
}

void findings_lose(findings *all)
{
    all->lost = true;
}

bool findings_complete(const findings *all)
{
    return !all->lost;
}

size_t findings_count(const findings *all)
{
    return all->count;
}

const finding *findings_get(const findings *all, size_t index)
{
    return &all->items[index];
}

size_t findings_of(const findings *all, finding_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        count += kinds[all->items[i].code].severity == severity;
    return count;
}

/* --- showing --- */

/* What a finding counts as: bug-compatible runs fail for no finding. */
static finding_severity shown_severity(const finding *item, bool lenient)
{
    finding_severity severity = kinds[item->code].severity;

    return lenient && severity == FINDING_ERROR ? FINDING_WARNING : severity;
}

bool finding_print(const finding *item, weir_buf *out)
{
    const kind *k = &kinds[item->code];

    if (!weir__buf_printf(out, "%s %s", k->rule, k->name))
        return false;
    if (item->table[0] != '\0' && !weir__buf_printf(out, ", table '%s'", item->table))
        return false;
    if (item->column[0] != '\0' && !weir__buf_printf(out, ", column '%s'", item->column))
        return false;
    if (!weir__buf_printf(out, ": %s", item->text))
        return false;
    if (item->count > 1 && !weir__buf_printf(out, " (%llu times)", (unsigned long long)item->count))
        return false;
    return weir__buf_printf(out, ". %s", k->advice);
}

uint64_t findings_rest(const findings *all)
{
    return all->rest;
}

json_t *findings_json(const findings *all, bool lenient)
{
    json_t *array = json_array();

    for (size_t i = 0; i < all->count && array != NULL; i++) {
        const finding *item = &all->items[i];
        json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "code", kinds[item->code].name,
                                  "rule", kinds[item->code].rule, "severity",
                                  finding_severity_name(shown_severity(item, lenient)), "table", item->table,
                                  "column", item->column, "text", item->text, "advice",
                                  kinds[item->code].advice, "count", (json_int_t)item->count);

        if (entry == NULL || json_array_append_new(array, entry) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}
