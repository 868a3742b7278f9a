/*
 * tests/sim: the source: tables, columns and up to SIM_OPS_MAX operations by seed, and what they come to.
 * The state is the number of the operation that comes next, so a stream can go on from any checkpoint
 * with the very same operations.
 *
 * What must be in the destination is worked out row by row from the rules (soft delete), without the
 * engine's code.
 */
#include <stdlib.h>
#include <string.h>

#include <wire/v2.h>

#include "engine/plan.h"
#include "sim.h"
#include "wire/codec.h"
#include "wire/record.h"

#define TABLES_MAX 3
#define COLUMNS_MAX 8
#define KEYS 7 /* different keys of a table: few, so that they come again */
#define NEVER SIZE_MAX
#define KEY_FIRST 1U /* of table.keys: the first column */
#define KEY_TWIN 2U
#define MESSAGE_SIZE_MAX ((size_t)1 << 24)

typedef enum op_kind {
    OP_UPSERT,
    OP_UPDATE,
    OP_DELETE,
    OP_TRUNCATE,
    OP_SCHEMA, /* a column is announced */
    OP_WARNING,
    OP_CHECKPOINT
} op_kind;

typedef struct value {
    bool sent;
    bool null;
    int64_t number; /* what a cell is made from, whatever its type */
} value;

typedef struct operation {
    op_kind kind;
    size_t table;
    value values[COLUMNS_MAX]; /* key columns first */
} operation;

typedef struct column {
    char name[8];
    weir_type type;
    bool key;
    bool untyped;      /* declared as UNSPECIFIED */
    size_t since;      /* operation from which on it is there */
    size_t wide_since; /* operation from which on an INT comes as LONG */
} column;

typedef struct table {
    char name[8];
    column columns[COLUMNS_MAX];
    size_t column_count;
    size_t key_count;
    size_t twin;       /* a column that tells rows apart as well as the first one does; 0: none */
    unsigned keys[2];  /* which of both are the key, before and after */
    size_t rekeyed_at; /* this operation (R-ENG-24) */
    bool declared;
    bool history;                  /* in this round */
    bool switched[SIM_ROUNDS_MAX]; /* the mode is another one than in the round before */
} table;

static struct {
    sim_dice dice;
    bool schemas;
    bool ahead; /* Schema tells of columns that come later, too */
    table tables[TABLES_MAX];
    size_t table_count;
    operation ops[SIM_OPS_MAX];
    size_t count;
    size_t ends[SIM_ROUNDS_MAX];
    size_t rounds;
    size_t begun; /* operations there were in the round before */
    size_t limit; /* operations there are in this round */
    bool sent[SIM_OPS_MAX + 1];
    sim_row rows[SIM_OPS_MAX];
} script;

static const char *const samples[] = { "plain",      "",     "with, comma", "\"quoted\"",
                                       "two\nlines", "null", "\\N",         " caf\xC3\xA9 " };

static uint64_t below(uint64_t end)
{
    return sim_below(&script.dice, end);
}

/* --- making --- */

static void make_column(table *t, weir_type type, bool key, size_t since)
{
    column *c = &t->columns[t->column_count];

    *c = (column){ .type = type, .key = key, .since = since, .wide_since = NEVER };
    snprintf(c->name, sizeof c->name, "%c_%zu", key ? 'k' : 'c', t->column_count);
    t->column_count++;
    t->key_count += key;
}

/*
 * R-ENG-24: another key from some operation on: the first one of a round, of which Schema tells, or one
 * behind a checkpoint, which announces it.
 */
static void make_twin(table *t)
{
    static const unsigned keys[][2] = { { KEY_FIRST, KEY_TWIN },
                                        { KEY_TWIN, KEY_FIRST },
                                        { KEY_FIRST, KEY_FIRST | KEY_TWIN },
                                        { KEY_FIRST | KEY_TWIN, KEY_TWIN } };
    const unsigned *chosen = keys[below(4)];

    t->twin = t->column_count;
    make_column(t, WEIR_LONG, false, 0);
    t->keys[0] = chosen[0];
    t->keys[1] = chosen[1];
    if (script.rounds > 1 && below(2) == 0)
        t->rekeyed_at = script.ends[below(script.rounds - 1)];
    else if (script.count > 2)
        t->rekeyed_at = 1 + below(script.count - 1);
}

/* The column is one of the key when operation `at` is sent. */
static bool is_key(const table *t, size_t index, size_t at)
{
    unsigned keys = t->keys[at >= t->rekeyed_at];

    if (t->twin == 0 || (index != 0 && index != t->twin))
        return t->columns[index].key;
    return (keys & (index == 0 ? KEY_FIRST : KEY_TWIN)) != 0;
}

static void make_table(size_t number)
{
    static const weir_type types[] = { WEIR_INT, WEIR_LONG, WEIR_STRING, WEIR_BOOLEAN, WEIR_DOUBLE };
    table *t = &script.tables[number];
    size_t keys = below(4) == 0 ? 0 : 1 + below(2);
    size_t values = 1 + below(4);

    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "t_%zu", number);
    t->rekeyed_at = NEVER;
    for (size_t i = 0; i < keys; i++)
        make_column(t, i == 0 ? WEIR_LONG : WEIR_STRING, true, 0);
    for (size_t i = 0; i < values; i++)
        make_column(t, types[below(5)], false, 0);
    t->declared = keys > 0 || below(2) == 0;
    t->switched[0] = below(3) == 0; /* soft delete before */
    for (size_t i = 1; i < SIM_ROUNDS_MAX; i++)
        t->switched[i] = t->declared && below(6) == 0;
    if (keys == 0)
        return;
    if (below(3) == 0)
        make_column(t, types[below(5)], false, below(script.count));
    for (size_t i = keys; i < t->column_count; i++) {
        t->columns[i].untyped = below(6) == 0;
        if (t->columns[i].type == WEIR_INT && below(3) == 0)
            t->columns[i].wide_since = below(script.count);
    }
    if (keys == 1 && below(2) == 0)
        make_twin(t);
}

static value make_value(const column *c, size_t at, bool small)
{
    value made = { .sent = true, .null = below(6) == 0, .number = (int64_t)below(small ? 3 : 100) };

    if (c->type == WEIR_INT && at >= c->wide_since && c->wide_since != NEVER)
        made.number += INT64_C(1) << 40;
    return made;
}

static void make_row(operation *op, size_t at)
{
    const table *t = &script.tables[op->table];
    int64_t key = (int64_t)below(KEYS);

    for (size_t i = 0; i < t->column_count; i++) {
        const column *c = &t->columns[i];

        if (t->twin > 0 && (i == 0 || i == t->twin))
            op->values[i] = (value){ .sent = op->kind == OP_UPSERT || is_key(t, i, at),
                                     .number = i == 0 ? key : 1000 - key };
        else if (c->key)
            op->values[i] = (value){ .sent = true,
                                     .number = t->key_count == 1 ? key
                                               : i == 0          ? key / 2
                                                                 : key % 2 };
        else if (c->since <= at &&
                 (op->kind == OP_UPSERT || t->key_count == 0 || (op->kind == OP_UPDATE && below(2) == 0)))
            op->values[i] = make_value(c, at, t->key_count == 0);
    }
}

static bool is_ever_history(const table *t)
{
    for (size_t i = 0; i < SIM_ROUNDS_MAX; i++)
        if (t->switched[i])
            return true;
    return false;
}

static bool same_values(const table *t, const operation *a, const operation *b)
{
    for (size_t i = 0; i < t->key_count; i++)
        if (a->values[i].number != b->values[i].number)
            return false;
    return true;
}

/*
 * In history mode an update of a row that was never there is dropped only if it leaves a cell unmodified
 * (R-HIS-03), which depends on when columns are declared; so there is none here.
 */
static bool is_known(const operation *op, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (script.ops[i].kind == OP_UPSERT && script.ops[i].table == op->table &&
            same_values(&script.tables[op->table], &script.ops[i], op))
            return true;
    return false;
}

/* A round has so many operations. */
static bool is_end(size_t count)
{
    for (size_t i = 0; i < script.rounds; i++)
        if (script.ends[i] == count)
            return true;
    return false;
}

static void make_op(size_t at)
{
    operation *op = &script.ops[at];
    uint64_t chance = below(40);

    *op = (operation){ .table = below(script.table_count) };
    for (size_t i = 0; i < script.table_count; i++)
        if (script.tables[i].rekeyed_at == at) {
            op->table = i;
            op->kind = is_end(at) && below(2) == 0 ? OP_TRUNCATE : OP_SCHEMA;
            return;
        }
    for (size_t i = 0; i < script.table_count; i++)
        if (is_end(at + 1) || script.tables[i].rekeyed_at == at + 1) {
            op->kind = OP_CHECKPOINT;
            return;
        }
    if (at < script.table_count && below(6) == 0) { /* R-SRC-09: before any row of the table */
        op->table = at;
        op->kind = OP_TRUNCATE;
        return;
    }
    for (size_t i = 0; i < script.table_count; i++)
        for (size_t j = 0; j < script.tables[i].column_count; j++)
            if (at > 0 && script.tables[i].columns[j].since == at && below(2) == 0) {
                *op = (operation){ .kind = OP_SCHEMA, .table = i };
                return;
            }
    if (chance < 6)
        op->kind = OP_CHECKPOINT;
    else if (chance == 6)
        op->kind = OP_WARNING;
    else if (chance < 24)
        op->kind = OP_UPSERT;
    else if (chance < 32)
        op->kind = script.tables[op->table].key_count > 0 ? OP_UPDATE : OP_UPSERT;
    else
        op->kind = OP_DELETE;
    if (op->kind <= OP_DELETE)
        make_row(op, at);
    if (op->kind == OP_UPDATE && is_ever_history(&script.tables[op->table]) && !is_known(op, at))
        *op = (operation){ .kind = OP_WARNING };
}

/* Where two changes are at one operation, or one is at the other's checkpoint, the later table has none. */
static void part_changes(void)
{
    for (size_t i = 0; i < script.table_count; i++) {
        table *t = &script.tables[i];

        for (size_t k = 0; k < i; k++)
            if (t->rekeyed_at != NEVER && script.tables[k].rekeyed_at != NEVER &&
                t->rekeyed_at + 2 > script.tables[k].rekeyed_at &&
                script.tables[k].rekeyed_at + 2 > t->rekeyed_at)
                t->rekeyed_at = NEVER;
        if (is_end(t->rekeyed_at + 1))
            t->rekeyed_at = NEVER;
    }
}

void sim_script_make(uint64_t seed)
{
    memset(&script, 0, sizeof script);
    script.dice.state = seed ^ 0x5C819;
    script.rounds = 1 + below(SIM_ROUNDS_MAX);
    script.count = script.rounds + below(below(3) == 0 ? SIM_OPS_MAX - 8 : 60);
    script.schemas = below(2) == 0;
    script.ahead = below(2) == 0;
    script.table_count = 1 + below(TABLES_MAX);
    for (size_t i = 0; i < script.rounds; i++)
        script.ends[i] = script.count * (i + 1) / script.rounds;
    for (size_t i = 0; i < script.table_count; i++)
        make_table(i);
    part_changes();
    for (size_t i = 0; i < script.count; i++)
        make_op(i);
    sim_script_begin(0);
}

static void print_op(size_t at)
{
    static const char *const kinds[] = { "upsert", "update",  "delete",    "truncate",
                                         "schema", "warning", "checkpoint" };
    const operation *op = &script.ops[at];
    const table *t = &script.tables[op->table];

    printf("  %3zu %s", at, kinds[op->kind]);
    if (op->kind <= OP_SCHEMA)
        printf(" %s", t->name);
    for (size_t i = 0; i < t->column_count && op->kind <= OP_DELETE; i++)
        if (op->values[i].sent && op->values[i].null)
            printf(" %s=NULL", t->columns[i].name);
        else if (op->values[i].sent)
            printf(" %s=%lld", t->columns[i].name, (long long)op->values[i].number);
    for (size_t i = 0; i < script.rounds; i++)
        if (script.ends[i] == at + 1)
            printf(", end of round %zu", i);
    printf("\n");
}

void sim_script_print(void)
{
    for (size_t i = 0; i < script.table_count; i++) {
        const table *t = &script.tables[i];

        printf("  table %s%s, modes:", t->name, t->declared ? "" : ", not declared");
        for (size_t j = 0; j < script.rounds; j++)
            printf(" %s", t->switched[j] ? "switched" : "same");
        if (t->rekeyed_at != NEVER)
            printf("; another key from %zu on", t->rekeyed_at);
        printf("; columns:");
        for (size_t j = 0; j < t->column_count; j++)
            printf(" %s %s%s%s%s%s", t->columns[j].name, weir_type_name(t->columns[j].type),
                   is_key(t, j, 0) ? " key" : "", is_key(t, j, script.count) ? " key then" : "",
                   t->columns[j].untyped ? " (not told)" : "", t->columns[j].since > 0 ? " (later)" : "");
        printf("\n");
    }
    for (size_t i = 0; i < script.count; i++)
        print_op(i);
}

bool sim_script_has_history(void)
{
    for (size_t i = 0; i < script.table_count; i++)
        if (script.tables[i].history)
            return true;
    return false;
}

size_t sim_script_rounds(void)
{
    return script.rounds;
}

void sim_script_begin(size_t round)
{
    script.begun = round > 0 ? script.ends[round - 1] : 0;
    script.limit = script.ends[round];
    for (size_t i = 0; i < script.table_count; i++) {
        table *t = &script.tables[i];

        t->history = false;
        for (size_t j = 0; j <= round; j++)
            t->history ^= t->switched[j];
    }
}

int64_t sim_script_end(void)
{
    return (int64_t)script.limit;
}

bool sim_script_sent(int64_t state)
{
    return state >= 0 && state <= (int64_t)script.count && script.sent[state];
}

/* Which tables are in history mode would stand in the schema configuration. */
plan_mode __wrap_plan_table_mode(const plan *p, weir_bytes schema, weir_bytes name);

plan_mode __wrap_plan_table_mode(const plan *p, weir_bytes schema, weir_bytes name)
{
    (void)p;
    (void)schema;
    return script.tables[name.data[2] - '0'].history ? PLAN_HISTORY : PLAN_SOFT_DELETE;
}

/* --- sending --- */

static weir_bytes bytes_of(const char *text)
{
    return (weir_bytes){ text, strlen(text) };
}

static weir_cell make_cell(const column *c, const value *from, size_t at)
{
    if (from->null)
        return weir_null(c->name);
    switch (c->type) {
    case WEIR_INT:
        return at >= c->wide_since ? weir_long(c->name, from->number)
                                   : weir_int(c->name, (int32_t)from->number);
    case WEIR_LONG:
        return weir_long(c->name, from->number);
    case WEIR_BOOLEAN:
        return weir_boolean(c->name, from->number % 2 == 1);
    case WEIR_DOUBLE:
        return weir_double(c->name, (double)from->number / 8);
    default:
        return weir_string(c->name, samples[from->number % 8]);
    }
}

/* Only columns that are there before operation `at`, with the key of operation `key_at`. */
static void declare(const table *t, size_t at, size_t key_at, v2_column columns[COLUMNS_MAX], v2_table *out)
{
    size_t count = 0;

    for (size_t i = 0; i < t->column_count; i++) {
        const column *c = &t->columns[i];

        if (c->since > at)
            continue;
        columns[count++] = (v2_column){ .name = bytes_of(c->name),
                                        .type = (int32_t)(c->untyped ? WEIR_UNSPECIFIED : c->type),
                                        .primary_key = is_key(t, i, key_at) };
    }
    *out = (v2_table){ .name = bytes_of(t->name), .columns = columns, .columns_count = count };
}

weir_status sim_script_schema(weir_buf *out, weir_error *err)
{
    v2_column columns[TABLES_MAX][COLUMNS_MAX];
    v2_table tables[TABLES_MAX];
    v2_schema schema = { .name = bytes_of("s"), .tables = tables };
    v2_schema_list with = { .schemas = &schema, .schemas_count = 1 };
    v2_table_list without = { .tables = tables };
    v2_schema_response response = { 0 };

    for (size_t i = 0; i < script.table_count; i++) {
        if (!script.tables[i].declared)
            continue;
        declare(&script.tables[i], script.ahead ? script.count : 0, script.begun, columns[i],
                &tables[schema.tables_count]);
        schema.tables_count++;
    }
    without.tables_count = schema.tables_count;
    if (schema.tables_count == 0) {
        response.which_response = V2_SCHEMA_RESPONSE_SCHEMA_RESPONSE_NOT_SUPPORTED;
        response.response.schema_response_not_supported = true;
    } else if (script.schemas) {
        response.which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA;
        response.response.with_schema = &with;
    } else {
        response.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
        response.response.without_schema = &without;
    }
    return weir__codec_encode(&weir__v2_schema_response, &response, out, err);
}

static weir_status put_change(const table *t, size_t at, weir_buf *out, weir_error *err)
{
    v2_column columns[COLUMNS_MAX];
    v2_table declared;
    v2_schema schema = { .name = bytes_of("s"), .tables = &declared, .tables_count = 1 };
    v2_schema_list with = { .schemas = &schema, .schemas_count = 1 };
    v2_table_list without = { .tables = &declared, .tables_count = 1 };
    v2_schema_change change = { 0 };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_SCHEMA_CHANGE,
                                    .operation.schema_change = &change };

    declare(t, at, at, columns, &declared);
    if (script.schemas) {
        change.which_change = V2_SCHEMA_CHANGE_WITH_SCHEMA;
        change.change.with_schema = &with;
    } else {
        change.which_change = V2_SCHEMA_CHANGE_WITHOUT_SCHEMA;
        change.change.without_schema = &without;
    }
    return weir__codec_encode(&weir__v2_update_response, &response, out, err);
}

static weir_status put_other(size_t at, weir_buf *out, weir_error *err)
{
    const operation *op = &script.ops[at];
    char state[64];
    v2_checkpoint checkpoint;
    v2_warning warning = { .message = bytes_of("on the way") };
    v2_update_response response = { 0 };

    if (op->kind == OP_SCHEMA)
        return put_change(&script.tables[op->table], at, out, err);
    if (op->kind == OP_WARNING) {
        response.which_operation = V2_UPDATE_RESPONSE_WARNING;
        response.operation.warning = &warning;
    } else {
        snprintf(state, sizeof state, "{\"at\":%zu}", at + 1);
        checkpoint.state_json = bytes_of(state);
        response.which_operation = V2_UPDATE_RESPONSE_CHECKPOINT;
        response.operation.checkpoint = &checkpoint;
        script.sent[at + 1] = true;
    }
    return weir__codec_encode(&weir__v2_update_response, &response, out, err);
}

static weir_status put_record(weir_record_writer *writer, size_t at, weir_error *err)
{
    static const weir_op ops[] = { WEIR_UPSERT, WEIR_UPDATE, WEIR_DELETE, WEIR_TRUNCATE };
    const operation *op = &script.ops[at];
    const table *t = &script.tables[op->table];
    weir_cell cells[COLUMNS_MAX];
    weir_record_row row = { .table = bytes_of(t->name), .op = ops[op->kind], .cells = cells };
    weir_status status;

    if (script.schemas)
        row.schema = bytes_of("s");
    for (size_t i = 0; i < t->column_count; i++)
        if (op->values[i].sent)
            cells[row.count++] = make_cell(&t->columns[i], &op->values[i], at);
    status = weir__record_writer_put(writer, &row, err);
    return status == WEIR_ITEM ? WEIR_OK : status;
}

weir_status sim_script_resume(int64_t at, size_t *next, weir_buf *out, weir_error *err)
{
    for (; *next < script.table_count; ++*next) {
        const table *t = &script.tables[*next];
        weir_status status;

        if (t->rekeyed_at <= script.begun || t->rekeyed_at == NEVER || (int64_t)t->rekeyed_at >= at)
            continue;
        status = put_change(t, (size_t)at, out, err);
        ++*next;
        return status == WEIR_OK ? WEIR_ITEM : status;
    }
    return WEIR_OK;
}

weir_status sim_script_next(int64_t *at, size_t count, weir_buf *out, weir_error *err)
{
    weir_record_writer writer;
    weir_status status = WEIR_OK;
    weir_bytes message = { "", 0 };

    if (*at >= (int64_t)script.limit)
        return WEIR_OK;
    if (script.ops[*at].kind > OP_TRUNCATE) {
        status = put_other((size_t)*at, out, err);
        ++*at;
        return status == WEIR_OK ? WEIR_ITEM : status;
    }
    weir__record_writer_init(&writer, MESSAGE_SIZE_MAX);
    while (status == WEIR_OK && count-- > 0 && *at < (int64_t)script.limit &&
           script.ops[*at].kind <= OP_TRUNCATE)
        status = put_record(&writer, (size_t)(*at)++, err);
    if (status == WEIR_OK && weir__record_writer_take(&writer, &message) != WEIR_ITEM)
        abort();
    if (status == WEIR_OK && !weir__buf_put(out, message.data, message.size))
        abort();
    weir__record_writer_clear(&writer);
    return status == WEIR_OK ? WEIR_ITEM : status;
}

/* --- what they come to --- */

static bool same_cell(const weir_cell *a, const weir_cell *b)
{
    if (a->presence != WEIR_VALUE || b->presence != WEIR_VALUE)
        return a->presence == b->presence;
    if (a->type == WEIR_STRING)
        return a->as.bytes.size == b->as.bytes.size &&
               memcmp(a->as.bytes.data, b->as.bytes.data, a->as.bytes.size) == 0;
    return a->type == WEIR_BOOLEAN  ? a->as.boolean == b->as.boolean
           : a->type == WEIR_DOUBLE ? memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0
                                    : a->as.integer == b->as.integer;
}

static bool same_row(const table *t, const sim_row *row, const operation *op)
{
    for (size_t i = 0; i < t->column_count; i++) {
        weir_cell cell = make_cell(&t->columns[i], &op->values[i], 0);

        if ((t->key_count == 0 || t->columns[i].key) && !same_cell(&cell, &row->cells[i]))
            return false;
    }
    return true;
}

static void set_cells(const table *t, const operation *op, size_t at, sim_row *row)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (op->values[i].sent && op->kind != OP_DELETE)
            row->cells[i] = make_cell(&t->columns[i], &op->values[i], at);
        else if (op->kind == OP_UPSERT)
            row->cells[i] = weir_null(t->columns[i].name);
}

/*
 * R-ENG-10: an upsert or update ends the version that is active and begins one; a truncate does nothing
 * (R-HIS-06).
 */
static void apply_history(const table *t, const operation *op, size_t at, size_t *count)
{
    sim_row *last = NULL;
    sim_row *next = &script.rows[*count];

    if (op->kind == OP_TRUNCATE)
        return;
    for (size_t i = 0; i < *count; i++)
        if (same_row(t, &script.rows[i], op))
            last = &script.rows[i];
    if (last == NULL && op->kind != OP_UPSERT)
        return;
    if (last != NULL)
        last->deleted = true;
    if (op->kind == OP_DELETE)
        return;
    *next = last != NULL ? *last : (sim_row){ 0 };
    next->version++;
    next->deleted = false;
    set_cells(t, op, at, next);
    ++*count;
}

static bool is_last_version(const table *t, size_t at, size_t count)
{
    for (size_t i = at + 1; i < count; i++) {
        bool same = true;

        for (size_t j = 0; j < t->column_count && same; j++)
            same = (t->key_count > 0 && !t->columns[j].key) ||
                   same_cell(&script.rows[at].cells[j], &script.rows[i].cells[j]);
        if (same)
            return false;
    }
    return true;
}

/* R-MIG-05: a row becomes the first version, the last version of a row becomes the row. */
static void switch_mode(const table *t, bool to_history, size_t *count)
{
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++) {
        if (!to_history && !is_last_version(t, i, *count))
            continue;
        script.rows[kept] = script.rows[i];
        script.rows[kept++].version = to_history;
    }
    *count = kept;
}

static void apply(const table *t, const operation *op, size_t at, size_t *count)
{
    sim_row *row = NULL;

    if (op->kind == OP_TRUNCATE) {
        for (size_t i = 0; i < *count; i++)
            script.rows[i].deleted = true;
        return;
    }
    for (size_t i = 0; i < *count && row == NULL; i++)
        if (same_row(t, &script.rows[i], op))
            row = &script.rows[i];
    if (row == NULL && op->kind != OP_UPSERT)
        return; /* R-DST-05: what is not there is neither updated nor deleted */
    if (row == NULL) {
        row = &script.rows[(*count)++];
        memset(row, 0, sizeof *row);
    }
    set_cells(t, op, at, row);
    if (op->kind == OP_DELETE)
        row->deleted = true;
    else if (op->kind == OP_UPSERT)
        row->deleted = false;
}

bool sim_script_expect(size_t index, sim_expected *out)
{
    const table *t = &script.tables[index];
    size_t count = 0;
    size_t round = 0;
    bool history = false;

    if (index >= script.table_count)
        return false;
    for (size_t i = 0; i < script.limit; i++) {
        if (i == 0 || i == script.ends[round]) {
            round += i > 0;
            history ^= t->switched[round];
            if (round > 0 && t->switched[round])
                switch_mode(t, history, &count);
        }
        if (script.ops[i].kind <= OP_TRUNCATE && script.ops[i].table == index)
            (history ? apply_history : apply)(t, &script.ops[i], i, &count);
    }
    *out = (sim_expected){ .schema = script.schemas ? "s" : "",
                           .name = t->name,
                           .column_count = t->column_count,
                           .history = t->history,
                           .rows = script.rows,
                           .row_count = count };
    for (size_t i = 0; i < t->column_count; i++) {
        out->columns[i] = t->columns[i].name;
        out->keys[i] = t->columns[i].key || t->key_count == 0;
    }
    return true;
}
