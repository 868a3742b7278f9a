/*
 * Connectors that are wrong on purpose: each must be caught, with a text that says what is wrong. A failure
 * that is expected is taken back: the test looks at what would have been told.
 */
#include <weir/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/runner.h"

/* --- sources --- */

static const weir_table numbers = {
    .name = "numbers",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "text", .type = WEIR_STRING },
                 { .name = "never", .type = WEIR_JSON }),
};

static weir_status send(weir_sync *out, int64_t id)
{
    return weir_upsert(out, &numbers, WEIR_CELLS(weir_long("id", id), weir_string("text", "x")));
}

/* The state is moved and sent before the rows it speaks of: a crash in between loses them. */
static weir_status state_first(weir_call *call, weir_sync *out)
{
    int64_t next = weir_state_long(out, "next", 1);

    while (next <= 10 && weir_running(call)) {
        weir_state_set_long(out, "next", next + 1);
        if (weir_checkpoint(out) != WEIR_OK)
            return WEIR_CANCELLED;
        send(out, next++);
    }
    return WEIR_OK;
}

/* Starts over whatever the state says, and counts on. */
static int64_t counter;

static weir_status forgets(weir_call *call, weir_sync *out)
{
    (void)call;
    for (int i = 0; i < 3; i++)
        send(out, ++counter);
    weir_state_set_long(out, "next", counter);
    return weir_checkpoint(out);
}

static weir_status sends_other_types(weir_call *call, weir_sync *out)
{
    (void)call;
    weir_upsert(out, &numbers, WEIR_CELLS(weir_long("id", 1), weir_double("text", 1.5)));
    weir_upsert(out, &numbers, WEIR_CELLS(weir_long("id", 2), weir_long("never", 7)));
    return weir_checkpoint(out);
}

static weir_status truncates_always(weir_call *call, weir_sync *out)
{
    (void)call;
    weir_truncate(out, &numbers);
    send(out, 1);
    weir_state_set_long(out, "next", 2);
    return weir_checkpoint(out);
}

static weir_status sends_nothing(weir_call *call, weir_sync *out)
{
    (void)call;
    return weir_checkpoint(out);
}

static weir_status lacks_a_key(weir_call *call, weir_sync *out)
{
    (void)call;
    weir_upsert(out, &numbers, WEIR_CELLS(weir_string("text", "x")));
    return weir_checkpoint(out);
}

static weir_status crashes(weir_call *call, weir_sync *out)
{
    (void)call;
    send(out, 1);
    abort();
}

static weir_status asks_a_person(weir_call *call, weir_sync *out)
{
    weir_warn(call, "the quota is nearly used up");
    weir_log_info(call, "reading page 1");
    send(out, 1);
    if (weir_checkpoint(out) != WEIR_OK)
        return WEIR_CANCELLED;
    send(out, 2);
    return weir_task(call, "Renew the token in the settings of the shop.");
}

static weir_status reads_slowly(weir_call *call, weir_sync *out)
{
    while (weir_running(call))
        continue;
    return weir_checkpoint(out);
}

static weir_harness *source_with(weir_status (*update)(weir_call *call, weir_sync *out))
{
    static const weir_table *const tables[] = { &numbers, NULL };
    weir_source source = { .name = "wrong", .tables = tables, .update = update };

    return weir_harness_source(&source);
}

/* What was told since the mark, which is then taken back. */
static char told[65536];

static bool was_told(const weir_test_mark *mark, const char *part)
{
    weir__test_take_back(mark, told, sizeof told);
    if (strstr(told, part) != NULL)
        return true;
    weir_test_fail(__FILE__, __LINE__, "nothing says \"%s\"; told was: %s", part, told);
    return false;
}

#define EXPECT_TOLD(mark, part) WEIR_EXPECT(was_told(&(mark), part))

WEIR_TEST(state_ahead_of_rows_is_found)
{
    weir_harness *h = source_with(state_first);
    weir_test_mark mark = weir__test_mark();

    WEIR_EXPECT(!weir_harness_expect_same_after_any_crash(h));
    EXPECT_TOLD(mark, "R-ENG-03");
}

WEIR_TEST(a_source_that_forgets_is_found)
{
    weir_harness *h = source_with(forgets);
    weir_test_mark mark;

    mark = weir__test_mark();
    WEIR_EXPECT(!weir_harness_expect_same_after_any_crash(h));
    EXPECT_TOLD(mark, "- 1, \"x\", NULL");
}

WEIR_TEST(a_proof_of_nothing_is_none)
{
    weir_harness *h = source_with(sends_nothing);
    weir_test_mark mark = weir__test_mark();

    WEIR_EXPECT(!weir_harness_expect_same_after_any_crash(h));
    EXPECT_TOLD(mark, "brings no rows");
}

WEIR_TEST(conformance_finds_types)
{
    weir_harness *h = source_with(sends_other_types);
    weir_test_mark mark = weir__test_mark();

    WEIR_EXPECT(!weir_conform_source(h, NULL));
    EXPECT_TOLD(mark, "column 'never' is declared JSON and got a LONG");
}

WEIR_TEST(conformance_finds_truncates)
{
    weir_harness *h = source_with(truncates_always);
    weir_test_mark mark = weir__test_mark();

    WEIR_EXPECT(!weir_conform_source(h, NULL));
    EXPECT_TOLD(mark, "R5: a table is truncated although the state shows progress");
    mark = weir__test_mark();
    WEIR_EXPECT(weir_conform_source(
        h, &(weir_quirks){ .skipped = (const weir_quirk[]){ { "R5", "it holds one page only" }, { 0 } } }));
    WEIR_EXPECT(
        !weir_conform_source(h, &(weir_quirks){ .skipped = (const weir_quirk[]){ { "R5", "one page" },
                                                                                 { "R99", "what is that" },
                                                                                 { 0 } } }) ||
        weir_test_failures() > 0);
    EXPECT_TOLD(mark, "R99");
}

WEIR_TEST(a_missing_key_is_a_failure)
{
    weir_harness *h = source_with(lacks_a_key);

    weir_harness_update(h);
    weir_harness_expect_failure(h, "column 'id' is part of the key");
    weir_harness_expect_row_count(h, "numbers", 0);
}

WEIR_TEST(a_crash_of_its_own_is_told)
{
    weir_harness *h = source_with(crashes);

    weir_harness_crash_for_real(h, true);
    weir_harness_crash_after_rows(h, 5);
    weir_harness_update(h);
    weir_harness_expect_failure(h, "killed by signal 6");
}

WEIR_TEST(tasks_warnings_and_logs)
{
    weir_harness *h = source_with(asks_a_person);

    WEIR_EXPECT_EQUAL(weir_harness_update(h), WEIR_TASK);
    weir_harness_expect_task(h, "Renew the token");
    weir_harness_expect_warning(h, "quota");
    weir_harness_expect_log(h, "reading page 1");
    weir_harness_expect_row_count(h, "numbers", 1); /* the second row had no checkpoint */
    WEIR_EXPECT_EQUAL(weir_harness_seen_last(h).dropped, 1u);
}

WEIR_TEST(what_nobody_looked_at_fails)
{
    weir_test_mark mark = weir__test_mark();
    weir_harness *h = source_with(asks_a_person);

    weir_harness_update(h);
    weir_harness_free(h);
    EXPECT_TOLD(mark, "'update' ended with a task, and no test looked at it: Renew the token");
}

WEIR_TEST(deadlines)
{
    weir_harness *h = source_with(reads_slowly);

    weir_harness_deadline(h, 20);
    WEIR_EXPECT_EQUAL(weir_harness_update(h), WEIR_CANCELLED);
    WEIR_EXPECT_EQUAL(weir_harness_status(h), WEIR_CANCELLED);
}

WEIR_TEST(wrong_definitions)
{
    weir_test_mark mark = weir__test_mark();
    weir_harness *h = source_with(NULL);

    weir_harness_update(h);
    EXPECT_TOLD(mark, "has no .update");
}

WEIR_TEST(misuse_is_told)
{
    weir_harness *h = source_with(asks_a_person);
    weir_test_mark mark = weir__test_mark();

    weir_harness_option(h, "api_kye", "k");
    EXPECT_TOLD(mark, "the form has no field 'api_kye'");
    mark = weir__test_mark();
    weir_harness_create(h, &numbers);
    EXPECT_TOLD(mark, "is for destinations");
    mark = weir__test_mark();
    weir_harness_expect_rows(h, "nubmers", "goldens/none.golden");
    EXPECT_TOLD(mark, "has no table 'nubmers'");
    mark = weir__test_mark();
    weir_harness_cancel_after_rows(h, 1000);
    weir_harness_set_state(h, NULL);
    weir_harness_update(h);
    weir_harness_expect_task(h, "token");
    EXPECT_TOLD(mark, "'update' came to its end before it could be broken off");
    mark = weir__test_mark();
    weir_harness_expect_text(h, "a text", "new\nlines\n", "goldens/two_lines.golden");
    EXPECT_TOLD(mark, "- old");
}

/* --- destinations: a store in memory, of one table, with a wound of one's own choice --- */

typedef enum wound {
    NONE,
    IGNORES_UPDATES,
    NULL_IS_EMPTY,
    DELETES_TOO_MUCH,
    FIRST_WINS,
    MISSING_IS_AN_ERROR,
    CREATES_TWICE,
    FORGETS_TYPES,
    TRUNCATES_AT_THE_CUT,
    STOPS_READING
} wound;

static wound having;

#define STORE_TABLES 128
#define STORE_ROWS 64
#define STORE_COLUMNS 24

typedef struct stored_row {
    weir_cell cells[STORE_COLUMNS];
    char bytes[STORE_COLUMNS][320];
} stored_row;

typedef struct stored_table {
    char schema[32];
    char name[160];
    weir_column columns[STORE_COLUMNS];
    char names[STORE_COLUMNS][160];
    size_t column_count;
    stored_row *rows;
    size_t row_count;
} stored_table;

static stored_table store[STORE_TABLES];
static size_t store_count;

static stored_table *find(const char *schema, const char *name)
{
    for (size_t i = 0; i < store_count; i++)
        if (strcmp(store[i].schema, schema ? schema : "") == 0 && strcmp(store[i].name, name) == 0)
            return &store[i];
    return NULL;
}

static void keep_columns(stored_table *s, const weir_table *t)
{
    s->column_count = t->column_count;
    for (size_t i = 0; i < t->column_count; i++) {
        s->columns[i] = t->columns[i];
        snprintf(s->names[i], sizeof s->names[i], "%s", t->columns[i].name);
        s->columns[i].name = s->names[i];
        if (having == FORGETS_TYPES && s->columns[i].type == WEIR_JSON)
            s->columns[i].type = WEIR_STRING;
    }
}

static weir_status mem_describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const stored_table *s = find(schema, table);
    weir_column *columns;

    if (s == NULL && having == MISSING_IS_AN_ERROR)
        return weir_fail(call, "no table '%s'", table);
    if (s == NULL)
        return WEIR_NOT_FOUND;
    columns = weir_alloc(call, sizeof s->columns);
    memcpy(columns, s->columns, sizeof s->columns);
    out->columns = columns;
    out->column_count = s->column_count;
    return WEIR_OK;
}

static weir_status mem_create(weir_call *call, const weir_table *table)
{
    stored_table *s = find(table->schema, table->name);

    if (s != NULL && having != CREATES_TWICE)
        return weir_fail(call, "table '%s' exists", table->name);
    if (s != NULL)
        return WEIR_OK;
    if (store_count == STORE_TABLES)
        return weir_fail(call, "the store is full");
    s = &store[store_count++];
    snprintf(s->schema, sizeof s->schema, "%s", table->schema ? table->schema : "");
    snprintf(s->name, sizeof s->name, "%s", table->name);
    keep_columns(s, table);
    s->rows = calloc(STORE_ROWS, sizeof *s->rows);
    return WEIR_OK;
}

static weir_status mem_alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    (void)changes;
    (void)table;
    return weir_fail(call, "this store cannot alter");
}

static size_t column_at(const stored_table *s, const char *name)
{
    for (size_t i = 0; i < s->column_count; i++)
        if (strcmp(s->names[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static weir_status mem_truncate(weir_call *call, const weir_truncation *what)
{
    stored_table *s = find(what->schema, what->table);
    size_t synced = s != NULL ? column_at(s, what->synced_column) : 0;

    (void)call;
    for (size_t i = 0; s != NULL && i < s->row_count;) {
        weir_time t = s->rows[i].cells[synced].as.time;
        bool older = t.seconds < what->before.seconds ||
                     (t.seconds == what->before.seconds && t.nanos < what->before.nanos);
        bool at = t.seconds == what->before.seconds && t.nanos == what->before.nanos;

        if (!older && !(at && having == TRUNCATES_AT_THE_CUT)) {
            i++;
        } else if (what->deleted_column != NULL) {
            s->rows[i++].cells[column_at(s, what->deleted_column)] = weir_boolean("", true);
        } else {
            for (size_t k = i; k + 1 < s->row_count; k++)
                s->rows[k] = s->rows[k + 1];
            s->row_count--;
        }
    }
    /* Bytes moved along with their rows: point to where they are now. */
    for (size_t i = 0; s != NULL && i < s->row_count; i++)
        for (size_t c = 0; c < s->column_count; c++)
            if ((s->columns[c].type >= WEIR_BINARY && s->columns[c].type <= WEIR_JSON) ||
                s->columns[c].type == WEIR_DECIMAL)
                s->rows[i].cells[c].as.bytes.data = s->rows[i].bytes[c];
    return WEIR_OK;
}

static bool cells_equal(const weir_cell *a, const weir_cell *b)
{
    if (a->type == WEIR_STRING)
        return a->as.bytes.size == b->as.bytes.size &&
               memcmp(a->as.bytes.data, b->as.bytes.data, a->as.bytes.size) == 0;
    if (a->type == WEIR_BOOLEAN)
        return a->as.boolean == b->as.boolean;
    return a->as.integer == b->as.integer;
}

static size_t row_at(const stored_table *s, const weir_cell *cells)
{
    for (size_t i = 0; i < s->row_count; i++) {
        bool same = true;

        for (size_t c = 0; c < s->column_count; c++)
            same = same && (!s->columns[c].key || cells_equal(&s->rows[i].cells[c], &cells[c]));
        if (same)
            return i;
    }
    return SIZE_MAX;
}

static void keep_cell(stored_row *row, size_t at, weir_cell cell, weir_type type)
{
    bool bytes = cell.presence == WEIR_VALUE &&
                 (type == WEIR_DECIMAL || (type >= WEIR_BINARY && type <= WEIR_JSON));

    if (having == NULL_IS_EMPTY && cell.presence == WEIR_NULL && type == WEIR_STRING)
        cell = weir_string("", "");
    if (bytes && cell.as.bytes.size < sizeof row->bytes[at]) {
        memcpy(row->bytes[at], cell.as.bytes.data, cell.as.bytes.size);
        cell.as.bytes.data = row->bytes[at];
    }
    cell.type = type;
    row->cells[at] = cell;
}

static void apply(stored_table *s, const weir_row *row)
{
    size_t at = row_at(s, row->cells);

    if (row->op == WEIR_DELETE) {
        if (at == SIZE_MAX && having == DELETES_TOO_MUCH && s->row_count > 0)
            at = 0;
        if (at == SIZE_MAX)
            return;
        s->row_count--;
        if (at != s->row_count) {
            s->rows[at] = s->rows[s->row_count];
            for (size_t c = 0; c < s->column_count; c++)
                keep_cell(&s->rows[at], c, s->rows[s->row_count].cells[c], s->columns[c].type);
        }
        return;
    }
    if (row->op == WEIR_UPDATE && (at == SIZE_MAX || having == IGNORES_UPDATES))
        return;
    if (row->op == WEIR_REPLACE && at != SIZE_MAX && having == FIRST_WINS)
        return;
    if (at == SIZE_MAX)
        at = s->row_count < STORE_ROWS ? s->row_count++ : 0;
    for (size_t c = 0; c < s->column_count; c++)
        if (row->cells[c].presence != WEIR_UNMODIFIED)
            keep_cell(&s->rows[at], c, row->cells[c], s->columns[c].type);
}

static weir_status mem_write(weir_call *call, const weir_table *table, weir_batch *in)
{
    stored_table *s = find(table->schema, table->name);
    weir_status status;
    weir_row row;

    if (s == NULL)
        return weir_fail(call, "no table '%s'", table->name);
    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        apply(s, &row);
        if (having == STOPS_READING)
            return WEIR_OK;
    }
    return status;
}

static weir_status mem_read(void *context, const weir_table *table, weir_rows *out)
{
    const stored_table *s = find(table->schema, table->name);

    (void)context;
    if (s == NULL)
        return weir_rows_fail(out, "no table '%s'", table->name);
    for (size_t i = 0; i < s->row_count; i++)
        weir_rows_add(out, s->rows[i].cells, s->column_count);
    return WEIR_OK;
}

static weir_harness *memory_with(wound which)
{
    static const weir_destination memory = {
        .name = "memory",
        .describe = mem_describe,
        .create = mem_create,
        .alter = mem_alter,
        .truncate = mem_truncate,
        .write = mem_write,
    };
    weir_harness *h = weir_harness_destination(&memory);

    for (size_t i = 0; i < store_count; i++)
        free(store[i].rows);
    memset(store, 0, sizeof store);
    store_count = 0;
    having = which;
    weir_harness_read_with(h, mem_read, NULL);
    return h;
}

static void empty_store(void *context)
{
    (void)context;
    for (size_t i = 0; i < store_count; i++)
        free(store[i].rows);
    store_count = 0;
}

/* What this store does not do at all. */
static const weir_quirk quirks[] = {
    { "S5", "it cannot alter" },
    { "S6", "it cannot alter" },
    { "S7", "it cannot alter" },
    { "S8", "it cannot alter" },
    { "S9", "it cannot alter" },
    { "S10", "it cannot alter" },
    { "S11", "it cannot alter" },
    { "S14", "it cannot alter" },
    { "S15", "it cannot alter" },
    { "F7", "it is small" },
    { "F9", "it is small" },
    { "F21", "its rows have every column" },
    { "B5", "keys are compared bit by bit" },
    { NULL, NULL },
};

WEIR_TEST(a_sound_store_conforms)
{
    weir_harness *h = memory_with(NONE);

    weir_test_at_end(empty_store, NULL);
    WEIR_EXPECT(weir_conform_destination(h, &(weir_quirks){ .skipped = quirks }));
}

static void expect_found(wound which, const char *part)
{
    weir_harness *h = memory_with(which);
    weir_test_mark mark = weir__test_mark();

    WEIR_EXPECT(!weir_conform_destination(h, &(weir_quirks){ .skipped = quirks }));
    EXPECT_TOLD(mark, part);
    empty_store(NULL);
}

WEIR_TEST(every_wound_is_found)
{
    expect_found(IGNORES_UPDATES, "F1: the store is not as the model says");
    expect_found(NULL_IS_EMPTY, "F4: empty text is not NULL");
    expect_found(DELETES_TOO_MUCH, "B3: updates and deletes of missing rows do nothing");
    expect_found(FIRST_WINS, "B2: of equal keys the last row wins");
    expect_found(MISSING_IS_AN_ERROR, "S1: a missing table is described as no table");
    expect_found(CREATES_TWICE, "S2: a table that exists is created again");
    expect_found(FORGETS_TYPES, "column 'JSON' is STRING, expected JSON");
    expect_found(TRUNCATES_AT_THE_CUT, "T1: truncate spares the row at the cut");
    expect_found(STOPS_READING, "F1: 'write' does not go well");
}

WEIR_TEST_MAIN()
