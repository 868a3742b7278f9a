/*
 * shared-duckdb/stage: chunks are filled through pointers taken once per chunk; see stage.h for the
 * columns.
 */
#include "stage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "decimal.h"

#define SLOTS_MIN ((size_t)8192)
#define INLINE_MAX 12 /* bytes of a string that DuckDB keeps in place */

/* Where a key is found: a part of its fingerprint, and its row, counted from 1; 0 is free. */
typedef struct slot {
    uint32_t hash;
    uint32_t row;
} slot;

/* Where the next cell of a column goes. */
typedef struct lane {
    stage_column column;
    idx_t place;       /* of the value's vector in a chunk */
    idx_t nanos_place; /* of the nanoseconds' vector; 0 without */
    duckdb_vector vector;
    void *data;
    size_t size; /* of one cell in `data`, bytes */
    int16_t *nanos;
    uint64_t *validity; /* NULL until the chunk has a NULL in the column */
    bool has_nanos;
} lane;

struct row_stage {
    row_stage *next;
    uint64_t id;
    lane *lanes;
    size_t count;
    size_t mask_count;
    uint64_t **masks; /* of the current chunk, one pointer per 60 columns */
    idx_t mask_place;
    idx_t kind_place; /* of what the row does, and after it its number; 0 without */
    int32_t *kinds;   /* of the current chunk; NULL without */
    int64_t *numbers;
    duckdb_logical_type *types; /* of all vectors of a chunk */
    idx_t type_count;
    duckdb_data_chunk *chunks;
    void **data;        /* of all vectors of all chunks that have begun */
    size_t chunk_count; /* made; those past the rows are empty */
    size_t chunk_room;
    size_t chunk_bytes; /* fixed part of one chunk */
    size_t vector_size; /* rows of a chunk, two to the power of vector_bits */
    unsigned vector_bits;
    size_t rows;
    size_t long_bytes; /* of strings that are not kept in place */
    slot *slots;       /* a power of two of them, at most half full; NULL until a key may be there twice */
    size_t slot_count;
    size_t slotted;        /* rows that have their slots; those after them have keys of their own */
    const lane *first_key; /* NULL without keys, or where none are folded */
    key_range keys;        /* of the rows' first key column */
};

static const key_range no_keys = { UINT64_MAX, 0 };

/* Stages that statements may name. */
static pthread_mutex_t stages_lock = PTHREAD_MUTEX_INITIALIZER;
static row_stage *stages;
static uint64_t last_id;

static row_stage *find_stage(uint64_t id)
{
    row_stage *s;

    pthread_mutex_lock(&stages_lock);
    for (s = stages; s && s->id != id; s = s->next)
        continue;
    pthread_mutex_unlock(&stages_lock);
    return s;
}

/* --- the table function --- */

typedef struct scan {
    const row_stage *stage;
    atomic_size_t next; /* chunk that no thread has yet */
    size_t share;       /* chunks that a thread takes at once */
    idx_t column_count;
    idx_t columns[];
} scan;

/* What a thread has to read of its share: chunks from `next` to before `end`. */
typedef struct scan_share {
    size_t next;
    size_t end;
} scan_share;

static void bind_stage(duckdb_bind_info info)
{
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    row_stage *s = find_stage((uint64_t)duckdb_get_int64(parameter));
    char name[32];

    duckdb_destroy_value(&parameter);
    if (s == NULL) {
        duckdb_bind_set_error(info, "there is no such stage");
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        snprintf(name, sizeof name, "c%zu", i);
        duckdb_bind_add_result_column(info, name, s->types[s->lanes[i].place]);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->lanes[i].nanos_place == 0)
            continue;
        snprintf(name, sizeof name, "n%zu", i);
        duckdb_bind_add_result_column(info, name, s->types[s->lanes[i].nanos_place]);
    }
    for (size_t i = 0; i < s->mask_count; i++) {
        snprintf(name, sizeof name, "m%zu", i * STAGE_MASK_BITS);
        duckdb_bind_add_result_column(info, name, s->types[s->mask_place + i]);
    }
    if (s->kind_place) {
        duckdb_bind_add_result_column(info, "kind", s->types[s->kind_place]);
        duckdb_bind_add_result_column(info, "seq", s->types[s->kind_place + 1]);
    }
    /*
     * Not the rows: DuckDB does not count a table's rows of the same transaction, and would keep the keys of
     * a table that it takes for empty in memory instead of the stage's.
     */
    duckdb_bind_set_cardinality(info, 0, false);
    duckdb_bind_set_bind_data(info, s, NULL);
}

static size_t used_chunks(const row_stage *s)
{
    return (s->rows + s->vector_size - 1) >> s->vector_bits;
}

/*
 * A thread reads whole row groups, as many as there are, or all: what a thread inserts is written out at once
 * when it is a row group or more, and appended behind a lock when it is less. Where both happen in one
 * transaction, DuckDB (1.5) keeps rows in memory until it ends.
 */
static size_t share_of(const row_stage *s)
{
    size_t group = STAGE_GROUP_ROWS / s->vector_size, used = used_chunks(s);

    return used < 2 * group ? used : group;
}

static void init_share(duckdb_init_info info)
{
    scan_share *out = calloc(1, sizeof *out);

    if (out == NULL)
        duckdb_init_set_error(info, "out of memory");
    else
        duckdb_init_set_init_data(info, out, free);
}

static void init_scan(duckdb_init_info info)
{
    const row_stage *s = duckdb_init_get_bind_data(info);
    idx_t count = duckdb_init_get_column_count(info);
    scan *out = malloc(sizeof *out + count * sizeof *out->columns);

    if (out == NULL) {
        duckdb_init_set_error(info, "out of memory");
        return;
    }
    out->stage = s;
    atomic_init(&out->next, 0);
    out->share = share_of(s);
    out->column_count = count;
    for (idx_t i = 0; i < count; i++)
        out->columns[i] = duckdb_init_get_column_index(info, i);
    duckdb_init_set_init_data(info, out, free);
    duckdb_init_set_max_threads(info, out->share > 0 ? (used_chunks(s) + out->share - 1) / out->share : 1);
}

static void scan_stage(duckdb_function_info info, duckdb_data_chunk output)
{
    scan *in = duckdb_function_get_init_data(info);
    scan_share *own = duckdb_function_get_local_init_data(info);
    const row_stage *s = in->stage;
    size_t at, rows;

    if (own->next == own->end) {
        own->next = atomic_fetch_add(&in->next, in->share);
        own->end = own->next + in->share;
    }
    at = own->next;
    if (at >= used_chunks(s)) {
        duckdb_data_chunk_set_size(output, 0);
        own->end = own->next;
        return;
    }
    own->next++;
    for (idx_t i = 0; i < in->column_count; i++)
        if (in->columns[i] < s->type_count)
            duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, i),
                                           duckdb_data_chunk_get_vector(s->chunks[at], in->columns[i]));
    rows = s->rows - at * s->vector_size;
    duckdb_data_chunk_set_size(output, rows < s->vector_size ? rows : s->vector_size);
}

bool stage_register(duckdb_connection db)
{
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_logical_type id = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_state state;

    duckdb_table_function_set_name(function, "weir_stage");
    duckdb_table_function_add_parameter(function, id);
    duckdb_table_function_set_bind(function, bind_stage);
    duckdb_table_function_set_init(function, init_scan);
    duckdb_table_function_set_local_init(function, init_share);
    duckdb_table_function_set_function(function, scan_stage);
    duckdb_table_function_supports_projection_pushdown(function, true);
    state = duckdb_register_table_function(db, function);
    duckdb_destroy_logical_type(&id);
    duckdb_destroy_table_function(&function);
    return state == DuckDBSuccess;
}

/* --- making --- */

static bool keeps_nanos(duckdb_type type)
{
    return type == DUCKDB_TYPE_TIMESTAMP || type == DUCKDB_TYPE_TIMESTAMP_TZ || type == DUCKDB_TYPE_TIME;
}

static size_t cell_size(const stage_column *column)
{
    switch (column->type) {
    case DUCKDB_TYPE_BOOLEAN:
        return 1;
    case DUCKDB_TYPE_SMALLINT:
        return 2;
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DATE:
        return 4;
    case DUCKDB_TYPE_DECIMAL:
        return column->width > 18 ? 16 : column->width > 9 ? 8 : column->width > 4 ? 4 : 2;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
        return sizeof(duckdb_string_t);
    default:
        return 8;
    }
}

static duckdb_logical_type make_type(const stage_column *column)
{
    duckdb_logical_type type;

    if (column->type == DUCKDB_TYPE_DECIMAL)
        return duckdb_create_decimal_type(column->width, column->scale);
    type = duckdb_create_logical_type(column->type);
    if (column->json)
        duckdb_logical_type_set_alias(type, "JSON");
    return type;
}

/* Types of the vectors of a chunk, in the order of stage.h, and where each lane finds its own. */
static void lay_out(row_stage *s, bool mixed)
{
    for (size_t i = 0; i < s->count; i++) {
        s->lanes[i].place = s->type_count;
        s->types[s->type_count++] = make_type(&s->lanes[i].column);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!keeps_nanos(s->lanes[i].column.type))
            continue;
        s->lanes[i].nanos_place = s->type_count;
        s->types[s->type_count++] = duckdb_create_logical_type(DUCKDB_TYPE_SMALLINT);
    }
    s->mask_place = s->type_count;
    for (size_t i = 0; i < s->mask_count; i++)
        s->types[s->type_count++] = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    if (mixed) {
        s->kind_place = s->type_count;
        s->types[s->type_count++] = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
        s->types[s->type_count++] = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    }
    s->vector_size = duckdb_vector_size();
    s->vector_bits = (unsigned)__builtin_ctzll(s->vector_size);
    s->chunk_bytes = s->vector_size * s->type_count * 16;
}

row_stage *stage_new(const stage_column *columns, size_t count, bool mixed)
{
    row_stage *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->count = count;
    s->mask_count = (count + STAGE_MASK_BITS - 1) / STAGE_MASK_BITS;
    s->lanes = calloc(count, sizeof *s->lanes);
    s->masks = calloc(s->mask_count, sizeof *s->masks);
    s->types = calloc(2 * count + s->mask_count + 2, sizeof *s->types);
    if (s->lanes == NULL || s->masks == NULL || s->types == NULL) {
        stage_free(s);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        s->lanes[i].column = columns[i];
        s->lanes[i].size = cell_size(&columns[i]);
        if (columns[i].key && !mixed && s->first_key == NULL)
            s->first_key = &s->lanes[i];
    }
    s->keys = no_keys;
    lay_out(s, mixed);
    pthread_mutex_lock(&stages_lock);
    s->id = ++last_id;
    s->next = stages;
    stages = s;
    pthread_mutex_unlock(&stages_lock);
    return s;
}

void stage_free(row_stage *s)
{
    row_stage **at = &stages;

    if (s == NULL)
        return;
    pthread_mutex_lock(&stages_lock);
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    pthread_mutex_unlock(&stages_lock);
    for (size_t i = 0; i < s->chunk_count; i++)
        duckdb_destroy_data_chunk(&s->chunks[i]);
    for (idx_t i = 0; i < s->type_count; i++)
        duckdb_destroy_logical_type(&s->types[i]);
    free(s->chunks);
    free(s->data);
    free(s->lanes);
    free(s->masks);
    free(s->types);
    free(s->slots);
    free(s);
}

uint64_t stage_id(const row_stage *s)
{
    return s->id;
}

void stage_reset(row_stage *s)
{
    for (size_t i = 0; i < used_chunks(s); i++)
        duckdb_data_chunk_reset(s->chunks[i]);
    s->rows = 0;
    s->long_bytes = 0;
    s->keys = no_keys;
    if (s->slotted > 0)
        memset(s->slots, 0, s->slot_count * sizeof *s->slots);
    s->slotted = 0;
}

void stage_shrink(row_stage *s)
{
    for (size_t i = 0; i < s->chunk_count; i++)
        duckdb_destroy_data_chunk(&s->chunks[i]);
    free(s->slots);
    s->slots = NULL;
    s->slot_count = s->slotted = s->chunk_count = s->rows = 0;
}

/* --- filling --- */

static bool add_chunk(row_stage *s)
{
    if (s->chunk_count == s->chunk_room) {
        size_t room = s->chunk_room * 2 + 8;
        duckdb_data_chunk *chunks = realloc(s->chunks, room * sizeof *chunks);
        void **data;

        if (chunks == NULL)
            return false;
        s->chunks = chunks;
        data = realloc(s->data, room * s->type_count * sizeof *data);
        if (data == NULL)
            return false;
        s->data = data;
        s->chunk_room = room;
    }
    s->chunks[s->chunk_count] = duckdb_create_data_chunk(s->types, s->type_count);
    if (s->chunks[s->chunk_count] == NULL)
        return false;
    s->chunk_count++;
    return true;
}

/* Points the lanes at the chunk that the next row goes to. */
static bool begin_chunk(row_stage *s)
{
    size_t at = s->rows >> s->vector_bits;
    duckdb_data_chunk chunk;
    void **data;

    if (at == s->chunk_count && !add_chunk(s))
        return false;
    chunk = s->chunks[at];
    data = s->data + at * s->type_count;
    for (idx_t i = 0; i < s->type_count; i++)
        data[i] = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, i));
    for (size_t i = 0; i < s->count; i++) {
        lane *l = &s->lanes[i];

        l->vector = duckdb_data_chunk_get_vector(chunk, l->place);
        l->data = data[l->place];
        l->validity = duckdb_vector_get_validity(l->vector);
        if (l->nanos_place) {
            l->nanos = data[l->nanos_place];
            memset(l->nanos, 0, s->vector_size * sizeof *l->nanos);
        }
    }
    for (size_t i = 0; i < s->mask_count; i++)
        s->masks[i] = data[s->mask_place + i];
    if (s->kind_place) {
        s->kinds = data[s->kind_place];
        s->numbers = data[s->kind_place + 1];
    }
    duckdb_data_chunk_set_size(chunk, s->vector_size);
    return true;
}

static void put_null(lane *l, idx_t at)
{
    if (l->validity == NULL) {
        duckdb_vector_ensure_validity_writable(l->vector);
        l->validity = duckdb_vector_get_validity(l->vector);
    }
    duckdb_validity_set_row_invalid(l->validity, at);
    if (l->nanos_place)
        l->nanos[at] = 0;
}

static void put_bytes(row_stage *s, lane *l, idx_t at, weir_bytes bytes)
{
    duckdb_string_t *out = (duckdb_string_t *)l->data + at;

    if (bytes.size <= INLINE_MAX) {
        *out = (duckdb_string_t){ 0 };
        out->value.inlined.length = (uint32_t)bytes.size;
        if (bytes.size > 0)
            memcpy(out->value.inlined.inlined, bytes.data, bytes.size);
        return;
    }
    duckdb_vector_assign_string_element_len(l->vector, at, bytes.data, bytes.size);
    s->long_bytes += bytes.size;
}

/* The common case: plain digits that fit into 64 bits. False when the general way must decide. */
static bool small_decimal(weir_bytes text, uint32_t width, uint32_t scale, int64_t *out)
{
    const char *at = text.data, *end = text.data + text.size;
    uint32_t whole = 0, fraction = 0;
    bool negative = at < end && *at == '-', point = false;
    int64_t sum = 0;

    for (at += negative; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9' || whole + fraction == 18)
            return false;
        sum = sum * 10 + (*at - '0');
        fraction += point;
        whole += !point;
    }
    if (whole + fraction == 0 || fraction > scale || whole + scale > 18 || whole + scale > width)
        return false;
    for (; fraction < scale; fraction++)
        sum *= 10;
    *out = negative ? -sum : sum;
    return true;
}

static bool put_decimal(lane *l, idx_t at, weir_bytes digits)
{
    uint32_t width = l->column.width, scale = l->column.scale;
    uint64_t lower;
    int64_t small, upper;
    decimal value;

    if (small_decimal(digits, width, scale, &small)) {
        lower = (uint64_t)small;
        upper = small < 0 ? -1 : 0;
    } else if (!decimal_parse(digits.data, digits.size, &value) ||
               !decimal_scaled(&value, width, scale, &lower, &upper)) {
        return false;
    }
    if (width <= 4)
        ((int16_t *)l->data)[at] = (int16_t)lower;
    else if (width <= 9)
        ((int32_t *)l->data)[at] = (int32_t)lower;
    else if (width <= 18)
        ((int64_t *)l->data)[at] = (int64_t)lower;
    else
        ((duckdb_hugeint *)l->data)[at] = (duckdb_hugeint){ lower, upper };
    return true;
}

static void put_time(lane *l, idx_t at, weir_time time)
{
    int32_t nanos = time.nanos % 1000;

    ((int64_t *)l->data)[at] = time.seconds * 1000000 + time.nanos / 1000;
    l->nanos[at] = (int16_t)nanos;
    l->has_nanos |= nanos != 0;
}

static int32_t day_of(weir_time time)
{
    int64_t day = time.seconds / 86400;

    return (int32_t)(day - (time.seconds % 86400 < 0));
}

static bool put_value(row_stage *s, lane *l, idx_t at, const weir_cell *cell)
{
    int64_t integer = cell->as.integer;

    switch (l->column.type) {
    case DUCKDB_TYPE_BOOLEAN:
        ((bool *)l->data)[at] = cell->as.boolean;
        return true;
    case DUCKDB_TYPE_SMALLINT:
        ((int16_t *)l->data)[at] = (int16_t)integer;
        return integer >= INT16_MIN && integer <= INT16_MAX;
    case DUCKDB_TYPE_INTEGER:
        ((int32_t *)l->data)[at] = (int32_t)integer;
        return integer >= INT32_MIN && integer <= INT32_MAX;
    case DUCKDB_TYPE_BIGINT:
        ((int64_t *)l->data)[at] = integer;
        return true;
    case DUCKDB_TYPE_FLOAT:
        ((float *)l->data)[at] = (float)cell->as.real;
        return true;
    case DUCKDB_TYPE_DOUBLE:
        ((double *)l->data)[at] = cell->as.real;
        return true;
    case DUCKDB_TYPE_DATE:
        ((int32_t *)l->data)[at] = day_of(cell->as.time);
        return true;
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        put_time(l, at, cell->as.time);
        return true;
    case DUCKDB_TYPE_DECIMAL:
        return put_decimal(l, at, cell->as.bytes);
    default:
        put_bytes(s, l, at, cell->as.bytes);
        return true;
    }
}

/* --- keys --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t mix_bytes(uint64_t hash, const char *data, size_t size)
{
    uint64_t word = 0;

    hash = mix(hash, size);
    for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
        memcpy(&word, data, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    if (size > 0)
        memcpy(&word, data, size);
    return mix(hash, word);
}

/*
 * Equal values have equal fingerprints; the reverse need not hold. NaN and both zeros count as one value each
 * (R-DST-07).
 */
static uint64_t mix_cell(uint64_t hash, const lane *l, const char *cell)
{
    duckdb_string_t text;
    float narrow;
    double real;
    uint64_t bits = 0;

    switch (l->column.type) {
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        if (l->column.type == DUCKDB_TYPE_FLOAT) {
            memcpy(&narrow, cell, sizeof narrow);
            real = narrow;
        } else {
            memcpy(&real, cell, sizeof real);
        }
        real = real == 0 ? 0 : real;
        memcpy(&bits, &real, sizeof bits);
        return mix(hash, real == real ? bits : 1);
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
        memcpy(&text, cell, sizeof text);
        return mix_bytes(hash, duckdb_string_t_data(&text), duckdb_string_t_length(text));
    default:
        memcpy(&bits, cell, l->size < sizeof bits ? l->size : sizeof bits);
        return mix(hash, bits);
    }
}

/* A cell of any row, by the data of its vector. */
static char *cell_at(const row_stage *s, const lane *l, size_t row)
{
    return (char *)s->data[(row >> s->vector_bits) * s->type_count + l->place] +
           (row & (s->vector_size - 1)) * l->size;
}

static int16_t *nanos_at(const row_stage *s, const lane *l, size_t row)
{
    return (int16_t *)s->data[(row >> s->vector_bits) * s->type_count + l->nanos_place] +
           (row & (s->vector_size - 1));
}

static uint32_t hash_key(const row_stage *s, size_t row)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < s->count; i++)
        if (s->lanes[i].column.key)
            hash = mix_cell(hash, &s->lanes[i], cell_at(s, &s->lanes[i], row));
    return (uint32_t)hash;
}

/*
 * The place of a key in an order (keys.h): equal values have the same. Of texts the first bytes count, and
 * where there is no order at hand all values have one place.
 */
static uint64_t place_of(const lane *l, idx_t at)
{
    const uint64_t sign = UINT64_C(1) << 63;
    duckdb_string_t *text;
    const unsigned char *bytes;
    uint64_t place = 0;
    size_t size;

    switch (l->column.type) {
    case DUCKDB_TYPE_SMALLINT:
        return (uint64_t)((const int16_t *)l->data)[at] ^ sign;
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
        return (uint64_t)((const int32_t *)l->data)[at] ^ sign;
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return (uint64_t)((const int64_t *)l->data)[at] ^ sign;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
        text = (duckdb_string_t *)l->data + at;
        bytes = (const unsigned char *)duckdb_string_t_data(text);
        size = duckdb_string_t_length(*text);
        for (size_t i = 0; i < sizeof place; i++)
            place = place << 8 | (i < size ? bytes[i] : 0);
        return place;
    default:
        return 0;
    }
}

/* True when the row's key comes after all others, so that no other row has it. */
static bool note_key(row_stage *s, idx_t at)
{
    uint64_t place = place_of(s->first_key, at);
    bool rises = s->rows == 0 || place > s->keys.last;

    if (place < s->keys.first)
        s->keys.first = place;
    if (place > s->keys.last)
        s->keys.last = place;
    return rises;
}

/* Equality by value, as DuckDB has it: NaN is itself, both zeros are one (R-DST-07). Keys are never NULL. */
static bool same_cell(const lane *l, const char *a, const char *b)
{
    duckdb_string_t left, right;
    double x, y;
    float narrow_x, narrow_y;

    switch (l->column.type) {
    case DUCKDB_TYPE_FLOAT:
        memcpy(&narrow_x, a, sizeof narrow_x);
        memcpy(&narrow_y, b, sizeof narrow_y);
        return narrow_x == narrow_y || (narrow_x != narrow_x && narrow_y != narrow_y);
    case DUCKDB_TYPE_DOUBLE:
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return x == y || (x != x && y != y);
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
        memcpy(&left, a, sizeof left);
        memcpy(&right, b, sizeof right);
        return duckdb_string_t_length(left) == duckdb_string_t_length(right) &&
               memcmp(duckdb_string_t_data(&left), duckdb_string_t_data(&right),
                      duckdb_string_t_length(left)) == 0;
    default:
        return memcmp(a, b, l->size) == 0;
    }
}

static bool same_key(const row_stage *s, size_t a, size_t b)
{
    for (size_t i = 0; i < s->count; i++) {
        const lane *l = &s->lanes[i];

        if (!l->column.key)
            continue;
        if (!same_cell(l, cell_at(s, l, a), cell_at(s, l, b)) ||
            (l->nanos_place && *nanos_at(s, l, a) != *nanos_at(s, l, b)))
            return false;
    }
    return true;
}

static void put_slot(slot *slots, size_t slot_count, slot value)
{
    size_t at = value.hash & (slot_count - 1);

    while (slots[at].row != 0)
        at = (at + 1) & (slot_count - 1);
    slots[at] = value;
}

/* Room for one row more than there are. */
static bool grow_slots(row_stage *s)
{
    size_t count = s->slot_count > 0 ? s->slot_count : SLOTS_MIN;
    slot *slots;

    while (count < 2 * (s->rows + 1))
        count *= 2;
    if (count == s->slot_count)
        return true;
    slots = calloc(count, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; s->slotted > 0 && i < s->slot_count; i++)
        if (s->slots[i].row)
            put_slot(slots, count, s->slots[i]);
    free(s->slots);
    s->slots = slots;
    s->slot_count = count;
    return true;
}

/*
 * The row that has the key of the newest row already; that row itself when there is none. Rows whose keys
 * only rise need no slots: they get them when a key comes that may be among theirs. False: out of memory.
 */
static bool find_row(row_stage *s, size_t *found)
{
    uint32_t hash = hash_key(s, s->rows);
    size_t at;

    if (!grow_slots(s))
        return false;
    for (; s->slotted < s->rows; s->slotted++)
        put_slot(s->slots, s->slot_count, (slot){ hash_key(s, s->slotted), (uint32_t)s->slotted + 1 });
    *found = s->rows;
    for (at = hash & (s->slot_count - 1); s->slots[at].row != 0; at = (at + 1) & (s->slot_count - 1)) {
        if (s->slots[at].hash == hash && same_key(s, s->slots[at].row - 1, s->rows)) {
            *found = s->slots[at].row - 1;
            return true;
        }
    }
    s->slots[at] = (slot){ hash, (uint32_t)++s->slotted };
    return true;
}

/*
 * The modified cells of the newest row take the places of an earlier row's. Texts stay where they are; only
 * their place moves.
 */
static void fold_row(row_stage *s, size_t earlier, size_t newest)
{
    idx_t from = newest & (s->vector_size - 1), to = earlier & (s->vector_size - 1);
    duckdb_data_chunk chunk = s->chunks[earlier / s->vector_size];

    for (size_t i = 0; i < s->count; i++) {
        lane *l = &s->lanes[i];
        uint64_t bit = UINT64_C(1) << i % STAGE_MASK_BITS;
        uint64_t *mask = (uint64_t *)duckdb_vector_get_data(
                             duckdb_data_chunk_get_vector(chunk, s->mask_place + i / STAGE_MASK_BITS)) +
                         to;
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, l->place);

        if ((s->masks[i / STAGE_MASK_BITS][from] & bit) == 0)
            continue;
        *mask |= bit;
        memcpy((char *)duckdb_vector_get_data(vector) + to * l->size, (const char *)l->data + from * l->size,
               l->size);
        if (l->nanos_place)
            *nanos_at(s, l, earlier) = l->nanos[from];
        duckdb_vector_ensure_validity_writable(vector);
        duckdb_validity_set_row_validity(duckdb_vector_get_validity(vector), to,
                                         l->validity == NULL ||
                                             duckdb_validity_row_is_valid(l->validity, from));
    }
    /* An earlier row of the same chunk may have made the lanes' validity stale. */
    if (earlier / s->vector_size == newest / s->vector_size)
        for (size_t i = 0; i < s->count; i++)
            s->lanes[i].validity = duckdb_vector_get_validity(s->lanes[i].vector);
}

/* Writes the row's cells to the place of the next row. */
static stage_fault put_row(row_stage *s, const weir_row *row, idx_t at, size_t *column)
{
    for (size_t i = 0; i < s->mask_count; i++)
        s->masks[i][at] = 0;
    for (size_t i = 0; i < s->count; i++) {
        lane *l = &s->lanes[i];
        const weir_cell *cell = &row->cells[i];
        bool left_out = row->op == WEIR_DELETE && !l->column.key && !s->kind_place;
        weir_presence presence = left_out ? WEIR_UNMODIFIED : cell->presence;

        *column = i;
        if (presence != WEIR_VALUE) {
            put_null(l, at);
        } else {
            if (l->validity)
                duckdb_validity_set_row_valid(l->validity, at);
            if (!put_value(s, l, at, cell))
                return STAGE_NO_FIT;
        }
        if (presence != WEIR_UNMODIFIED)
            s->masks[i / STAGE_MASK_BITS][at] |= UINT64_C(1) << i % STAGE_MASK_BITS;
    }
    if (s->kind_place) {
        s->kinds[at] = (int32_t)row->op;
        s->numbers[at] = (int64_t)s->rows;
    }
    return STAGE_TAKEN;
}

stage_fault stage_add(row_stage *s, const weir_row *row, size_t *column)
{
    idx_t at = s->rows & (s->vector_size - 1);
    size_t earlier = s->rows;
    stage_fault fault;

    if (at == 0 && !begin_chunk(s))
        return STAGE_NO_MEMORY;
    fault = put_row(s, row, at, column);
    if (fault != STAGE_TAKEN)
        return fault;
    if (s->first_key && !note_key(s, at) && !find_row(s, &earlier))
        return STAGE_NO_MEMORY;
    if (earlier == s->rows)
        s->rows++;
    else
        fold_row(s, earlier, s->rows);
    return STAGE_TAKEN;
}

size_t stage_rows(const row_stage *s)
{
    return s->rows;
}

size_t stage_bytes(const row_stage *s)
{
    return used_chunks(s) * s->chunk_bytes + s->long_bytes;
}

key_range stage_keys(const row_stage *s)
{
    return s->keys;
}

bool stage_has_nanos(const row_stage *s, size_t column)
{
    return s->lanes[column].has_nanos;
}
