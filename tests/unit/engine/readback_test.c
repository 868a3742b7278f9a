/*
 * engine/readback: what a store lacks of what was sent to it is found, and a store that is right is not
 * blamed (R-ENG-16).
 *
 * Rows that are sent are cells with commas between: `-` is NULL, `~` unmodified. Rows of the store are the
 * same with `|`, by the names of its columns.
 */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/map.h"
#include "data/text.h"
#include "engine/readback_internal.h"
#include "sys/file.h"

#define COLUMNS_MAX 8
#define TEXT_MAX 2048 /* of a row */

static const char *const all_columns[] = { "id",   "name", "note", "_fivetran_deleted", "_fivetran_synced",
                                           "extra" };

typedef struct bench {
    readback *r;
    readback_store store;
    catalog *tables;
    engine_table *table;
    engine_request *request; /* the open one */
    /* What the store shows: */
    const char *const *columns;
    size_t column_count;
    const char *const *rows; /* NULL: no such table */
    size_t next;
    char text[TEXT_MAX];
    weir_seen_cell cells[COLUMNS_MAX];
    /* What came of it: */
    readback_result result;
    char note[1024];
    size_t results;
} bench;

static char folder[64];

/* --- the store --- */

static weir_status store_begin(void *context, const weir_table *expected, const char *const **columns,
                               size_t *count, weir_error *err)
{
    bench *b = context;

    (void)err;
    assert_string_equal(expected->schema, "s");
    if (b->rows == NULL || strcmp(expected->name, "people") != 0)
        return WEIR_NOT_FOUND;
    *columns = b->columns;
    *count = b->column_count;
    b->next = 0;
    return WEIR_OK;
}

static weir_status store_next(void *context, const weir_seen_cell **cells, weir_error *err)
{
    bench *b = context;
    char *at = b->text;

    (void)err;
    if (b->rows[b->next] == NULL)
        return WEIR_OK;
    snprintf(b->text, sizeof b->text, "%s", b->rows[b->next++]);
    for (size_t i = 0; i < b->column_count; i++) {
        const char *cell = strsep(&at, "|");

        assert_non_null(cell);
        b->cells[i] = (weir_seen_cell){ .text = weir__text(cell), .null = strcmp(cell, "-") == 0 };
    }
    *cells = b->cells;
    return WEIR_ITEM;
}

static void store_end(void *context)
{
    (void)context;
}

/* --- what is sent --- */

static void declare(bench *b, const weir_column *columns, size_t count)
{
    const weir_table declared = { .name = "people", .columns = columns, .column_count = count };
    bool changed;
    weir_error err;

    assert_int_equal(engine_table_declare(b->tables, b->table, &declared, &changed, &err), WEIR_OK);
}

static int set_up(void **state)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "name", .type = WEIR_STRING },
                                           { .name = "note", .type = WEIR_STRING } };
    bench *b = calloc(1, sizeof *b);
    weir_error err;

    snprintf(folder, sizeof folder, "/tmp/weir-readback-XXXXXX");
    assert_non_null(mkdtemp(folder));
    b->store = (readback_store){ b, store_begin, store_next, store_end, 6 };
    b->columns = all_columns;
    b->column_count = 5;
    b->tables = catalog_new("s", 1);
    b->table = catalog_get(b->tables, weir__text(""), weir__text("people"), &err);
    declare(b, columns, 3);
    if (readback_open(&b->store, folder, &b->r, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    bench *b = *state;

    readback_close(b->r);
    engine_request_free(b->request);
    catalog_free(b->tables);
    free(b);
    return weir__folder_remove(folder, NULL) == WEIR_OK ? 0 : -1;
}

static void open_request(bench *b)
{
    weir_error err;

    if (b->request != NULL)
        return;
    b->request = engine_request_new(b->table, &err);
    assert_non_null(b->request);
    assert_int_equal(engine_request_begin(b->request, &err), WEIR_OK);
    readback_part(b->r, b->request);
}

static void send(bench *b, weir_batch_kind kind, fold_deleted deleted, int64_t ms, const char *cells)
{
    char copy[TEXT_MAX];
    char text[2 * TEXT_MAX] = "";
    char *at = copy;
    fold_row row = { .kind = (uint8_t)kind, .deleted = (uint8_t)deleted, .synced_ms = ms, .text = text };

    open_request(b);
    snprintf(copy, sizeof copy, "%s", cells);
    for (const char *cell; (cell = strsep(&at, ",")) != NULL; row.cells++) {
        const char *marker = strcmp(cell, "-") == 0   ? b->request->markers.null_string
                             : strcmp(cell, "~") == 0 ? b->request->markers.unmodified_string
                                                      : cell;

        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", row.cells ? "," : "", marker);
    }
    row.size = (uint32_t)strlen(text);
    readback_row(b->r, &row);
}

static void upsert(bench *b, int64_t ms, const char *cells)
{
    send(b, WEIR_BATCH_REPLACE, FOLD_KEPT, ms, cells);
}

static void update(bench *b, int64_t ms, const char *cells)
{
    send(b, WEIR_BATCH_UPDATE, FOLD_UNTOUCHED, ms, cells);
}

static void remove_row(bench *b, int64_t ms, const char *cells)
{
    send(b, WEIR_BATCH_UPDATE, FOLD_DELETED, ms, cells);
}

static void seal(bench *b)
{
    weir_error err;

    if (b->request == NULL)
        return;
    b->request->rows_folded = 1;
    assert_int_equal(engine_request_seal(b->request, &err), WEIR_OK);
    readback_sealed(b->r, b->request);
    engine_request_free(b->request);
    b->request = NULL;
}

static void group(bench *b)
{
    seal(b);
    readback_group(b->r);
}

static void truncate_at(bench *b, int64_t ms)
{
    seal(b);
    readback_truncate(b->r, b->table, ms);
}

/* --- what comes of it --- */

static weir_status take(void *context, const readback_result *result, weir_error *err)
{
    bench *b = context;

    (void)err;
    b->result = *result;
    snprintf(b->note, sizeof b->note, "%s", result->note);
    b->result.note = b->note;
    b->results++;
    return WEIR_OK;
}

static weir_status compare(bench *b, const char *const *rows, weir_error *err)
{
    static const atomic_bool cancelled = false;
    readback_taker taker = { take, b, &cancelled };

    b->rows = rows;
    return readback_compare(b->r, &taker, err);
}

static void look(bench *b, const char *const *rows)
{
    weir_error err;

    if (compare(b, rows, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(b->results, 1);
}

static void assert_agrees(bench *b, uint64_t rows, const char *const *stored)
{
    look(b, stored);
    if (!readback_agrees(&b->result))
        fail_msg("%s", b->note);
    assert_true(b->result.compared);
    assert_int_equal(b->result.rows, rows);
    assert_int_equal(b->result.seen, rows);
    assert_true(weir__sum_equal(b->result.sum_sent, b->result.sum_seen));
}

/* The rows differ as `wanted` counts, and the note says so without a value. */
static void assert_differs(bench *b, const readback_result *wanted, const char *note,
                           const char *const *stored)
{
    look(b, stored);
    assert_false(readback_agrees(&b->result));
    assert_int_equal(b->result.missing, wanted->missing);
    assert_int_equal(b->result.different, wanted->different);
    assert_int_equal(b->result.extra, wanted->extra);
    assert_int_equal(b->result.undeleted, wanted->undeleted);
    assert_int_equal(b->result.columns, wanted->columns);
    if (strstr(b->note, note) == NULL)
        fail_msg("'%s' is not in: %s", note, b->note);
    assert_null(strstr(b->note, "Ada"));
    assert_null(strstr(b->note, "Grace"));
    if (wanted->columns + wanted->undeleted == 0)
        assert_false(weir__sum_equal(b->result.sum_sent, b->result.sum_seen));
}

#define STORED(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ROW1 "1|Ada|-|false|1970-01-01T00:00:01Z"
#define ROW2 "2|Grace|x|true|1970-01-01T00:00:02Z"
#define ROW3 "3||z|false|1970-01-01T00:00:02Z"
#define OTHER "9|old|-|false|1970-01-01T00:00:00.500Z"

static void send_all(bench *b)
{
    upsert(b, 1000, "1,Ada,-");
    upsert(b, 1000, "2,Grace,x");
    upsert(b, 1000, "3,\"\",y");
    group(b);
    remove_row(b, 2000, "2,~,~");
    update(b, 2000, "3,~,z");
    group(b);
    readback_attempt(b->r, 2);
}

static void a_right_store_agrees(void **state)
{
    send_all(*state);
    assert_agrees(*state, 3, STORED(ROW3, OTHER, ROW1, ROW2));
    assert_string_equal(((bench *)*state)->note, "");
}

static void a_missing_row_is_found(void **state)
{
    send_all(*state);
    assert_differs(*state, &(readback_result){ .missing = 1 }, "missing: key ", STORED(ROW3, OTHER, ROW2));
}

static void a_missing_table_is_found(void **state)
{
    send_all(*state);
    assert_differs(*state, &(readback_result){ .missing = 3, .columns = 3 }, "no such table", NULL);
}

static weir_status no_store(void *context, weir_error *err)
{
    (void)context;
    return weir__error(err, "there is no store");
}

static void a_missing_store_is_no_missing_row(void **state)
{
    bench *b = *state;
    weir_error err;

    b->store.check = no_store;
    send_all(b);
    assert_int_equal(compare(b, NULL, &err), WEIR_FAILED);
    assert_string_equal(err.text, "there is no store");
    assert_int_equal(b->results, 0);
}

static void where_nothing_was_written_no_table_is_missed(void **state)
{
    bench *b = *state;

    b->store.check = no_store;
    truncate_at(b, 1000);
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 0, NULL);
    assert_string_equal(b->note, "");
}

static void a_stop_ends_it_without_a_verdict(void **state)
{
    static const atomic_bool cancelled = true;
    bench *b = *state;
    readback_taker taker = { take, b, &cancelled };
    weir_error err;

    send_all(b);
    b->rows = STORED(NULL);
    assert_int_equal(readback_compare(b->r, &taker, &err), WEIR_CANCELLED);
    assert_int_equal(b->results, 0);
}

static void another_cell_is_found(void **state)
{
    send_all(*state);
    assert_differs(*state, &(readback_result){ .different = 1 }, "column 'note' differs in 1",
                   STORED(ROW1, ROW2, "3||y|false|1970-01-01T00:00:02Z"));
}

static void empty_text_is_not_null(void **state)
{
    send_all(*state);
    assert_differs(*state, &(readback_result){ .different = 2 }, "column 'name' differs in 1; column 'note'",
                   STORED("1|Ada||false|1970-01-01T00:00:01Z", ROW2, "3|-|z|false|1970-01-01T00:00:02Z"));
}

static void wrong_flags_are_found(void **state)
{
    send_all(*state);
    assert_differs(*state, &(readback_result){ .different = 2 }, "_fivetran_deleted differs in 2",
                   STORED("1|Ada|-|true|1970-01-01T00:00:01Z", "2|Grace|x|false|1970-01-01T00:00:02Z", ROW3));
}

static void a_row_that_is_there_twice_is_found(void **state)
{
    send_all(*state);
    assert_differs(*state, &(readback_result){ .extra = 1 }, "twice: key ", STORED(ROW1, ROW2, ROW3, ROW1));
}

static void a_missing_column_is_found(void **state)
{
    static const char *const columns[] = { "id", "_fivetran_deleted", "name" };
    bench *b = *state;

    send_all(b);
    b->columns = columns;
    b->column_count = 3;
    assert_differs(b, &(readback_result){ .columns = 1 }, "the store has no column 'note'",
                   STORED("1|false|Ada", "2|true|Grace", "3|false|"));
}

/* It may have that column: stores make names where they cannot have those that are wanted. */
static void a_column_of_another_name_is_not_compared(void **state)
{
    static const char *const columns[] = { "id", "_fivetran_deleted", "name", "not_0123456789abcdef" };
    bench *b = *state;

    send_all(b);
    b->columns = columns;
    b->column_count = 4;
    assert_agrees(b, 3, STORED("1|false|Ada|", "2|true|Grace|", "3|false||"));
    assert_non_null(strstr(b->note, "column 'note' is not compared"));
}

/* Rows of before, of this sync, and one that has come again since. */
static void what_a_truncate_has_to_delete(bench *b)
{
    upsert(b, 1000, "1,Ada,-");
    upsert(b, 1000, "2,Grace,x");
    truncate_at(b, 1500);
    upsert(b, 2000, "2,Grace,y");
    group(b);
    readback_attempt(b->r, 1);
}

static void a_truncate_is_looked_for(void **state)
{
    what_a_truncate_has_to_delete(*state);
    assert_agrees(*state, 2,
                  STORED("1|Ada|-|true|1970-01-01T00:00:01Z", "2|Grace|y|false|1970-01-01T00:00:02Z",
                         "9|old|-|true|1970-01-01T00:00:00.5Z", "8|new|-|false|1970-01-01T00:00:01.5Z"));
}

static void rows_that_a_truncate_has_left_are_found(void **state)
{
    what_a_truncate_has_to_delete(*state);
    assert_differs(*state, &(readback_result){ .different = 1, .undeleted = 1 },
                   "not deleted by a truncate: key ",
                   STORED(ROW1, "2|Grace|y|false|1970-01-01T00:00:02Z", OTHER));
}

static void a_table_that_was_only_truncated(void **state)
{
    truncate_at(*state, 1500);
    group(*state);
    readback_attempt(((bench *)*state)->r, 1);
    assert_differs(*state, &(readback_result){ .undeleted = 1 }, "not deleted by a truncate",
                   STORED(OTHER, "8|new|-|false|1970-01-01T00:00:01.5Z"));
}

/* An update does not touch the flag, whoever has set it. */
static void an_update_after_a_truncate_leaves_the_row_deleted(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,-");
    truncate_at(b, 1500);
    update(b, 2000, "1,~,x");
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 1, STORED("1|Ada|x|true|1970-01-01T00:00:02Z"));
}

/* R-DST-05: those are ignored. */
static void updates_and_deletes_may_find_no_row(void **state)
{
    bench *b = *state;

    update(b, 1000, "1,Ada,-");
    remove_row(b, 1000, "2,~,~");
    update(b, 1000, "3,Grace,~");
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 1, STORED("3|Grace|whatever|true|1970-01-01T00:00:01Z"));
    assert_string_equal(b->note, "updates that found no row: 1");
}

/* --- attempts --- */

static void what_was_not_committed_is_not_blamed(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,-");
    group(b);
    upsert(b, 1000, "2,Grace,-");
    upsert(b, 1000, "1,Ada,x");
    upsert(b, 1000, "3,Grace,-");
    group(b);
    upsert(b, 1000, "4,Ada,-"); /* of no group */
    readback_attempt(b->r, 1);
    engine_request_free(b->request);
    b->request = NULL;
    upsert(b, 3000, "3,Ada,y");
    update(b, 3000, "2,~,y");
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 2, STORED("1|whatever|x|true|-", "2|whatever|y|-|-", "3|Ada|y|false|-"));
    assert_int_equal(b->result.unsure, 2);
}

/* Of a row that is certain, a change that is not. */
static void a_lost_update_leaves_a_row_unsure(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,x");
    upsert(b, 1000, "2,Ada,x");
    group(b);
    update(b, 1500, "1,~,y");
    remove_row(b, 1500, "2,~,~");
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 0, STORED("1|Ada|y|false|-", "2|Ada|x|true|-"));
    assert_int_equal(b->result.unsure, 2);
}

static void a_table_that_only_a_lost_attempt_had(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,x");
    group(b);
    readback_attempt(b->r, 0);
    upsert(b, 1000, "1,Ada,x");
    readback_attempt(b->r, 0);
    assert_agrees(b, 0, NULL);
    assert_int_equal(b->result.unsure, 1);
    assert_string_equal(b->note,
                        "the store has no such table, and nothing that was sent to it was committed");
}

/* A later attempt that is not committed either takes nothing from what is certain. */
static void a_table_that_an_attempt_had_is_looked_for(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,x");
    group(b);
    readback_attempt(b->r, 0);
    upsert(b, 2000, "1,Ada,x");
    group(b);
    upsert(b, 2000, "2,Ada,x");
    group(b);
    readback_attempt(b->r, 1);
    upsert(b, 3000, "2,Ada,x");
    group(b);
    readback_attempt(b->r, 0);
    assert_differs(b, &(readback_result){ .missing = 1, .columns = 3 }, "no such table; missing", NULL);
}

/* Every attempt has a catalog of its own. In this one the table has these columns. */
static catalog *new_attempt(bench *b, const weir_column *columns, size_t count)
{
    catalog *before = b->tables;
    weir_error err;

    b->tables = catalog_new("s", 2);
    b->table = catalog_get(b->tables, weir__text(""), weir__text("people"), &err);
    declare(b, columns, count);
    return before;
}

static void a_column_that_only_a_lost_attempt_had(void **state)
{
    static const weir_column extra = { .name = "extra", .type = WEIR_DECIMAL };
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "name", .type = WEIR_STRING },
                                           { .name = "note", .type = WEIR_STRING } };
    bench *b = *state;
    catalog *before;

    declare(b, &extra, 1);
    upsert(b, 1000, "1,Ada,x,1.50");
    group(b);
    readback_attempt(b->r, 0);
    before = new_attempt(b, columns, 3);
    upsert(b, 2000, "1,Ada,x");
    group(b);
    readback_attempt(b->r, 1);
    catalog_free(before);
    assert_agrees(b, 1, STORED("1|Ada|x|false|-"));
    assert_string_equal(b->note, "the store has no column 'extra', and nothing that had it was committed");
}

static void a_column_that_an_attempt_lacks_is_null_in_its_rows(void **state)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "note", .type = WEIR_STRING } };
    bench *b = *state;
    catalog *before;

    upsert(b, 1000, "1,Ada,x");
    group(b);
    readback_attempt(b->r, 1);
    before = new_attempt(b, columns, 2);
    upsert(b, 2000, "2,y");
    upsert(b, 2000, "3,y");
    update(b, 2000, "1,z");
    group(b);
    readback_attempt(b->r, 1);
    catalog_free(before);
    assert_differs(b, &(readback_result){ .different = 1 }, "column 'name' differs in 1",
                   STORED("1|Ada|z|f|-", "2|-|y|f|-", "3|what was there|y|f|-"));
}

static void what_was_sent_again_counts(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,x");
    group(b);
    readback_attempt(b->r, 0);
    upsert(b, 2000, "1,Ada,y");
    group(b);
    readback_attempt(b->r, 1);
    assert_differs(b, &(readback_result){ .different = 1 }, "column 'note' differs in 1",
                   STORED("1|Ada|x|false|-"));
}

static void a_truncate_that_was_not_committed_may_have_been_done(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,x");
    upsert(b, 1000, "2,Ada,x");
    group(b);
    truncate_at(b, 1500);
    group(b);
    readback_attempt(b->r, 1);
    update(b, 2000, "2,~,y");
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 2, STORED("1|Ada|x|true|-", "2|Ada|y|true|-", OTHER));
}

/* --- tables that change --- */

static void rows_before_a_new_column_are_null_there(void **state)
{
    static const weir_column extra = { .name = "extra", .type = WEIR_DECIMAL };
    bench *b = *state;

    upsert(b, 1000, "1,Ada,-");
    upsert(b, 1000, "2,Ada,-");
    upsert(b, 1000, "4,Ada,-");
    group(b);
    declare(b, &extra, 1);
    upsert(b, 2000, "3,Ada,-,1.50");
    update(b, 2000, "2,~,~,2");
    update(b, 2000, "4,~,x,~");
    group(b);
    readback_attempt(b->r, 2);
    b->column_count = 6;
    assert_agrees(b, 4, STORED("1|Ada|-|f|-|-", "2|Ada|-|f|-|2.0", "3|Ada|-|f|-|1.5", "4|Ada|x|f|-|-"));
}

static void a_value_in_a_column_that_was_not_written_is_found(void **state)
{
    static const weir_column extra = { .name = "extra", .type = WEIR_DECIMAL };
    bench *b = *state;

    upsert(b, 1000, "1,Ada,-");
    upsert(b, 1000, "2,Ada,-");
    group(b);
    declare(b, &extra, 1);
    upsert(b, 2000, "3,Ada,-,1.50");
    update(b, 2000, "2,~,x,~");
    group(b);
    readback_attempt(b->r, 2);
    b->column_count = 6;
    assert_differs(b, &(readback_result){ .different = 2 }, "column 'extra' differs in 2",
                   STORED("1|Ada|-|f|-|7", "2|Ada|x|f|-|7", "3|Ada|-|f|-|1.5"));
}

static void a_column_of_another_type_is_not_compared(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,12");
    group(b);
    b->table->columns[2].type = WEIR_JSON;
    upsert(b, 2000, "2,Ada,[]");
    group(b);
    readback_attempt(b->r, 2);
    assert_agrees(b, 2, STORED("1|Ada|whatever|f|-", "2|Ada|[ ]|f|-"));
    assert_non_null(strstr(b->note, "column 'note' is not compared, its type changed in this sync"));
}

static void times_that_the_store_cuts_are_not_compared(void **state)
{
    static const weir_column extra = { .name = "extra", .type = WEIR_NAIVE_DATETIME };
    bench *b = *state;

    declare(b, &extra, 1);
    upsert(b, 1000, "1,Ada,-,2007-12-03T10:15:30.123456789");
    upsert(b, 1000, "2,Ada,-,2007-12-03T10:15:30.123456");
    group(b);
    readback_attempt(b->r, 1);
    b->column_count = 6;
    assert_agrees(b, 2,
                  STORED("1|Ada|-|f|-|2007-12-03 10:15:30.123457", "2|Ada|-|f|-|2007-12-03 10:15:30.123456"));
    assert_non_null(strstr(b->note, "column 'extra': 1 values"));
}

/* One store keeps the time of a key, one cuts it: neither's row is that of another key. */
static void times_in_keys_are_not_cut(void **state)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_UTC_DATETIME, .key = true },
                                           { .name = "name", .type = WEIR_STRING } };
    static const char *const shown[] = { "id", "name", "_fivetran_deleted", "_fivetran_synced" };
    bench *b = *state;
    catalog *before = new_attempt(b, columns, 2);

    catalog_free(before);
    b->columns = shown;
    b->column_count = 4;
    upsert(b, 1000, "2007-12-03T10:15:30.123456Z,Ada");
    upsert(b, 1000, "2007-12-03T10:15:30.123456789Z,Grace");
    upsert(b, 1000, "2007-12-03T10:15:30.500Z,Ada");
    group(b);
    readback_attempt(b->r, 1);
    assert_agrees(b, 2,
                  STORED("2007-12-03T10:15:30.123456789Z|Grace|f|-", "2007-12-03T10:15:30.123456000Z|Ada|f|-",
                         "2007-12-03T10:15:30.5Z|Ada|f|-"));
    assert_int_equal(b->result.unsure, 1);
}

static void a_table_with_another_key_is_not_compared(void **state)
{
    bench *b = *state;

    upsert(b, 1000, "1,Ada,-");
    group(b);
    b->table->keys[0] = 1;
    upsert(b, 2000, "1,Ada,-");
    group(b);
    readback_attempt(b->r, 2);
    look(b, STORED("7|whatever|-|f|-"));
    assert_false(b->result.compared);
    assert_true(readback_agrees(&b->result));
    assert_string_equal(b->note, "its key changed in this sync");
}

/* --- the rest --- */

/* Of this process. */
static size_t count_descriptors(void)
{
    weir_folder_entry *entries;
    weir_arena *arena = weir__arena_new(1 << 20);
    size_t count = 0;

    assert_int_equal(weir__folder_list("/proc/self/fd", arena, &entries, &count, NULL), WEIR_OK);
    weir__arena_free(arena);
    return count;
}

/* Data goes first: nothing fails while it is sent, and what the notes took of the disk is free again. */
static void a_full_disk_ends_the_notes_only(void **state)
{
    bench *b = *state;
    struct rlimit before;
    size_t open;
    weir_error err;

    open_request(b);
    open = count_descriptors();
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100000, before.rlim_max }), 0);
    for (int i = 0; i < 100000; i++) {
        char cells[64];

        snprintf(cells, sizeof cells, "%d,Ada,-", i);
        upsert(b, 1000, cells);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(count_descriptors(), open - 1);
    upsert(b, 1000, "1,Ada,-");
    truncate_at(b, 1500);
    group(b);
    readback_attempt(b->r, 1);
    assert_int_equal(compare(b, STORED(ROW1), &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "write"));
    assert_int_equal(b->results, 0);
}

static void notes_are_asked_for_or_not(void **state)
{
    bench *b = *state;

    readback_part(NULL, b->request);
    readback_row(NULL, NULL);
    readback_sealed(NULL, NULL);
    readback_truncate(NULL, NULL, 0);
    readback_group(NULL);
    readback_attempt(NULL, 0);
    readback_close(NULL);
}

#define MANY 150000

/* Notes of a part fill several blocks, which are sealed, and those of a key are in two of them. */
_Static_assert(MANY *(sizeof(readback_note) + 3 * sizeof(uint64_t)) >
                   2 * WEIR_READBACK_PARTS * WEIR_READBACK_BLOCK,
               "blocks");

static void many_rows(bench *b)
{
    char cells[64];

    for (int i = 0; i < 2 * MANY; i++) {
        snprintf(cells, sizeof cells, i < MANY ? "%d,m%d,-" : "%d,n%d,~", i % MANY, i % MANY);
        (i < MANY ? upsert : update)(b, 1000, cells);
        if (i % 10000 == 9999)
            seal(b);
    }
    group(b);
    readback_attempt(b->r, 1);
}

static void rows_of_many_blocks_are_compared(void **state)
{
    static char texts[MANY][64];
    static const char *rows[MANY + 1];
    size_t count = 0;

    many_rows(*state);
    for (int i = 0; i < MANY; i++) { /* one is missing, two are different */
        snprintf(texts[i], sizeof texts[i], "%d|%s%d|-|false|1970-01-01T00:00:01Z", i, i == 777 ? "m" : "n",
                 i == MANY - 2 ? 0 : i);
        if (i != MANY / 2)
            rows[count++] = texts[i];
    }
    assert_differs(*state, &(readback_result){ .missing = 1, .different = 2 }, "column 'name' differs in 2",
                   rows);
    assert_int_equal(((bench *)*state)->result.rows, MANY);
    assert_int_equal(((bench *)*state)->result.seen, MANY - 1);
}

/* Either it fails, or what it says is right. The request is sealed before, so only the notes need memory. */
static weir_status note_and_compare(void *context)
{
    bench *b = context;
    char json[1000];
    char sent[TEXT_MAX];
    char seen[TEXT_MAX];
    weir_error err;
    weir_status status = readback_open(&b->store, folder, &b->r, &err);

    b->results = 0;
    if (status != WEIR_OK)
        return status;
    readback_part(b->r, b->request);
    upsert(b, 1000, "1,Ada,-");
    memset(json, 'x', sizeof json);
    snprintf(sent, sizeof sent, "2,\"Gr\"\"ace\",\"\"\"\\n%.*s\"\"\"", (int)sizeof json, json);
    snprintf(seen, sizeof seen, "2|Grace|\"\\u000a%.*s\"|false|-", (int)sizeof json, json);
    upsert(b, 1000, sent);
    upsert(b, 1000, "3,,{}");
    readback_sealed(b->r, b->request);
    readback_truncate(b->r, b->table, 500);
    readback_group(b->r);
    readback_attempt(b->r, 1);
    status = compare(b, STORED(ROW1, seen, OTHER), &err);
    readback_close(b->r);
    b->r = NULL;
    if (status != WEIR_OK)
        return status;
    assert_int_equal(b->results, 1);
    assert_int_equal(b->result.missing, 1);
    assert_int_equal(b->result.different, 1);
    assert_int_equal(b->result.seen, 2);
    assert_null(strstr(b->note, "column 'note' differs"));
    return WEIR_ITEM;
}

static void memory_runs_out(void **state)
{
    bench *b = *state;
    weir_error err;

    b->table->columns[2].type = WEIR_JSON;
    open_request(b);
    b->request->rows_folded = 1;
    assert_int_equal(engine_request_seal(b->request, &err), WEIR_OK);
    readback_close(b->r);
    b->r = NULL;
    WEIR_EVERY_FAILURE(note_and_compare, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_right_store_agrees),
        TEST(a_missing_row_is_found),
        TEST(a_missing_table_is_found),
        TEST(a_missing_store_is_no_missing_row),
        TEST(where_nothing_was_written_no_table_is_missed),
        TEST(a_stop_ends_it_without_a_verdict),
        TEST(another_cell_is_found),
        TEST(empty_text_is_not_null),
        TEST(wrong_flags_are_found),
        TEST(a_row_that_is_there_twice_is_found),
        TEST(a_missing_column_is_found),
        TEST(a_column_of_another_name_is_not_compared),
        TEST(a_truncate_is_looked_for),
        TEST(rows_that_a_truncate_has_left_are_found),
        TEST(a_table_that_was_only_truncated),
        TEST(an_update_after_a_truncate_leaves_the_row_deleted),
        TEST(updates_and_deletes_may_find_no_row),
        TEST(what_was_not_committed_is_not_blamed),
        TEST(a_lost_update_leaves_a_row_unsure),
        TEST(a_table_that_only_a_lost_attempt_had),
        TEST(a_table_that_an_attempt_had_is_looked_for),
        TEST(a_column_that_only_a_lost_attempt_had),
        TEST(a_column_that_an_attempt_lacks_is_null_in_its_rows),
        TEST(what_was_sent_again_counts),
        TEST(a_truncate_that_was_not_committed_may_have_been_done),
        TEST(rows_before_a_new_column_are_null_there),
        TEST(a_value_in_a_column_that_was_not_written_is_found),
        TEST(a_column_of_another_type_is_not_compared),
        TEST(times_that_the_store_cuts_are_not_compared),
        TEST(times_in_keys_are_not_cut),
        TEST(a_table_with_another_key_is_not_compared),
        TEST(a_full_disk_ends_the_notes_only),
        TEST(notes_are_asked_for_or_not),
        TEST(rows_of_many_blocks_are_compared),
        TEST(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
