/*
 * shared-duckdb/stage: chunks are filled through pointers taken once per chunk; see stage.h for the
 * columns. Long texts lie in blocks of the chunk's own, and DuckDB's strings point there: whoever reads a
 * chunk copies them.
 */
#include <stdlib.h>

#include "decimal.h"
#include "stage_internal.h"

#define SLOTS_MIN ((size_t)8192)
#define INLINE_MAX 12 /* bytes of a string that DuckDB keeps in place */
#define BLOCK_MIN ((size_t)64 * 1024)
#define BLOCK_MAX ((size_t)1024 * 1024)
#define LIVE_BYTES_MAX ((size_t)32 * 1024 * 1024) /* of the fixed parts of all chunks */
#define LIVE_CHUNKS_MIN ((size_t)8)               /* rows so wide that fewer would fit are merged */
#define LIVE_CHUNKS_MAX ((size_t)64)
#define LIVE_TEXT_BYTES_MAX ((size_t)1024 * 1024)        /* a chunk with so much text is passed on */
#define LIVE_BLOCK_MAX ((size_t)256 * 1024)              /* of texts, that a chunk keeps when it goes round */
#define LIVE_TEXT_WAITING_MAX ((size_t)24 * 1024 * 1024) /* so much that is not read is waited for */

size_t stage_live_after = 8192;

static const key_range no_keys = { UINT64_MAX, 0 };

/* Stages that statements may name. */
static pthread_mutex_t stages_lock = PTHREAD_MUTEX_INITIALIZER;
static row_stage *stages;
static uint64_t last_id;

row_stage *stage_find(uint64_t id)
{
    row_stage *s;

    pthread_mutex_lock(&stages_lock);
    for (s = stages; s && s->id != id; s = s->next)
        continue;
    pthread_mutex_unlock(&stages_lock);
    return s;
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
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
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
    s->rising = true;
    lay_out(s, mixed);
    pthread_mutex_lock(&stages_lock);
    s->id = ++last_id;
    s->next = stages;
    stages = s;
    pthread_mutex_unlock(&stages_lock);
    return s;
}

/* --- texts --- */

static void drop_blocks(text_block *block)
{
    while (block != NULL) {
        text_block *before = block->before;

        free(block);
        block = before;
    }
}

/* The largest block is kept, up to `kept` bytes. */
static void forget_texts(stage_chunk *chunk, size_t kept)
{
    if (chunk->texts != NULL) {
        drop_blocks(chunk->texts->before);
        chunk->texts->before = NULL;
    }
    if (chunk->texts != NULL && chunk->texts->size > kept) {
        free(chunk->texts);
        chunk->texts = NULL;
    }
    chunk->texts_used = 0;
    chunk->text_bytes = chunk->texts != NULL ? chunk->texts->size : 0;
}

static void drop_chunk(stage_chunk *chunk)
{
    duckdb_destroy_data_chunk(&chunk->data);
    drop_blocks(chunk->texts);
    *chunk = (stage_chunk){ 0 };
}

/* Room for a text that stays where it is until the chunk is used again; NULL when out of memory. */
static char *text_room(stage_chunk *chunk, size_t size)
{
    text_block *block = chunk->texts;
    size_t wanted = block == NULL ? BLOCK_MIN : block->size < BLOCK_MAX ? block->size * 2 : BLOCK_MAX;
    char *out;

    if (block == NULL || block->size - chunk->texts_used < size) {
        wanted = wanted > BLOCK_MAX ? BLOCK_MAX : wanted;
        wanted = wanted < size ? size : wanted;
        block = malloc(sizeof *block + wanted);
        if (block == NULL)
            return NULL;
        *block = (text_block){ .before = chunk->texts, .size = wanted };
        chunk->texts = block;
        chunk->texts_used = 0;
        chunk->text_bytes += wanted;
    }
    out = block->data + chunk->texts_used;
    chunk->texts_used += size;
    return out;
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
        drop_chunk(&s->chunks[i]);
    for (idx_t i = 0; i < s->type_count; i++)
        duckdb_destroy_logical_type(&s->types[i]);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
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

size_t stage_used_chunks(const row_stage *s)
{
    return (s->rows + s->vector_size - 1) >> s->vector_bits;
}

static void clear_chunk(stage_chunk *chunk, size_t kept)
{
    duckdb_data_chunk_reset(chunk->data);
    forget_texts(chunk, kept);
    chunk->busy = false;
}

void stage_reset(row_stage *s)
{
    /* One more: where a row is put before it is folded into another one. */
    size_t used = s->live ? s->chunk_count : stage_used_chunks(s) + 1;

    for (size_t i = 0; i < used && i < s->chunk_count; i++)
        clear_chunk(&s->chunks[i], BLOCK_MAX);
    s->live = s->ended = s->stopped = false;
    s->rows = 0;
    s->long_bytes = 0;
    s->keys = no_keys;
    s->rising = true;
    if (s->slotted > 0)
        memset(s->slots, 0, s->slot_count * sizeof *s->slots);
    s->slotted = 0;
}

void stage_shrink(row_stage *s)
{
    for (size_t i = 0; i < s->chunk_count; i++)
        drop_chunk(&s->chunks[i]);
    free(s->slots);
    s->slots = NULL;
    s->slot_count = s->slotted = s->chunk_count = s->rows = 0;
}

/* --- filling --- */

static bool make_room(row_stage *s, size_t room)
{
    stage_chunk *chunks = realloc(s->chunks, room * sizeof *chunks);
    void **data;

    if (chunks == NULL)
        return false;
    s->chunks = chunks;
    data = realloc(s->data, room * s->type_count * sizeof *data);
    if (data == NULL)
        return false;
    s->data = data;
    s->chunk_room = room;
    return true;
}

static bool add_chunk(row_stage *s)
{
    duckdb_data_chunk data;

    if (s->chunk_count == s->chunk_room && !make_room(s, s->chunk_room * 2 + 8))
        return false;
    data = duckdb_create_data_chunk(s->types, s->type_count);
    if (data == NULL)
        return false;
    s->chunks[s->chunk_count++] = (stage_chunk){ .data = data };
    return true;
}

/* Points the lanes at the chunk that the next row goes to, the first one after all that are made at most. */
static bool begin_chunk(row_stage *s, size_t at)
{
    duckdb_data_chunk chunk;
    void **data;

    if (at == s->chunk_count && !add_chunk(s))
        return false;
    s->into = &s->chunks[at];
    chunk = s->into->data;
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

static stage_fault put_bytes(row_stage *s, lane *l, idx_t at, weir_bytes bytes)
{
    duckdb_string_t *out = (duckdb_string_t *)l->data + at;
    char *text;

    *out = (duckdb_string_t){ 0 };
    out->value.inlined.length = (uint32_t)bytes.size;
    if (bytes.size <= INLINE_MAX) {
        if (bytes.size > 0)
            memcpy(out->value.inlined.inlined, bytes.data, bytes.size);
        return STAGE_TAKEN;
    }
    text = text_room(s->into, bytes.size);
    if (text == NULL)
        return STAGE_NO_MEMORY;
    memcpy(text, bytes.data, bytes.size);
    memcpy(out->value.pointer.prefix, text, sizeof out->value.pointer.prefix);
    out->value.pointer.ptr = text;
    s->long_bytes += bytes.size;
    return STAGE_TAKEN;
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

static void put_time(row_stage *s, lane *l, idx_t at, weir_time time)
{
    int32_t nanos = time.nanos % 1000;

    ((int64_t *)l->data)[at] = time.seconds * 1000000 + time.nanos / 1000;
    l->nanos[at] = (int16_t)nanos;
    l->has_nanos |= nanos != 0;
    s->unread_nanos |= nanos != 0 && !l->fine;
}

static int32_t day_of(weir_time time)
{
    int64_t day = time.seconds / 86400;

    return (int32_t)(day - (time.seconds % 86400 < 0));
}

static stage_fault put_value(row_stage *s, lane *l, idx_t at, const weir_cell *cell)
{
    int64_t integer = cell->as.integer;

    switch (l->column.type) {
    case DUCKDB_TYPE_BOOLEAN:
        ((bool *)l->data)[at] = cell->as.boolean;
        return STAGE_TAKEN;
    case DUCKDB_TYPE_SMALLINT:
        ((int16_t *)l->data)[at] = (int16_t)integer;
        return integer >= INT16_MIN && integer <= INT16_MAX ? STAGE_TAKEN : STAGE_NO_FIT;
    case DUCKDB_TYPE_INTEGER:
        ((int32_t *)l->data)[at] = (int32_t)integer;
        return integer >= INT32_MIN && integer <= INT32_MAX ? STAGE_TAKEN : STAGE_NO_FIT;
    case DUCKDB_TYPE_BIGINT:
        ((int64_t *)l->data)[at] = integer;
        return STAGE_TAKEN;
    case DUCKDB_TYPE_FLOAT:
        ((float *)l->data)[at] = (float)cell->as.real;
        return STAGE_TAKEN;
    case DUCKDB_TYPE_DOUBLE:
        ((double *)l->data)[at] = cell->as.real;
        return STAGE_TAKEN;
    case DUCKDB_TYPE_DATE:
        ((int32_t *)l->data)[at] = day_of(cell->as.time);
        return STAGE_TAKEN;
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        put_time(s, l, at, cell->as.time);
        return STAGE_TAKEN;
    case DUCKDB_TYPE_DECIMAL:
        return put_decimal(l, at, cell->as.bytes) ? STAGE_TAKEN : STAGE_NO_FIT;
    default:
        return put_bytes(s, l, at, cell->as.bytes);
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
    duckdb_data_chunk chunk = s->chunks[earlier / s->vector_size].data;

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
    stage_fault fault;

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
            fault = put_value(s, l, at, cell);
            if (fault != STAGE_TAKEN)
                return fault;
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

static stage_fault add_live(row_stage *s, const weir_row *row, size_t *column)
{
    stage_fault fault = s->ended ? STAGE_OUT_OF_ORDER : put_row(s, row, s->at, column);
    uint64_t place;

    if (fault != STAGE_TAKEN)
        return fault;
    place = place_of(s->first_key, s->at);
    if (place <= s->keys.last || s->unread_nanos)
        return STAGE_OUT_OF_ORDER;
    s->keys.last = place;
    s->at++;
    s->rows++;
    return STAGE_TAKEN;
}

stage_fault stage_add(row_stage *s, const weir_row *row, size_t *column)
{
    idx_t at = s->rows & (s->vector_size - 1);
    size_t earlier = s->rows;
    stage_fault fault;

    if (s->live)
        return add_live(s, row, column);
    if (at == 0 && !begin_chunk(s, s->rows >> s->vector_bits))
        return STAGE_NO_MEMORY;
    fault = put_row(s, row, at, column);
    if (fault != STAGE_TAKEN)
        return fault;
    if (s->first_key && !note_key(s, at)) {
        s->rising = false;
        if (!find_row(s, &earlier))
            return STAGE_NO_MEMORY;
    }
    if (earlier == s->rows)
        s->rows++;
    else
        fold_row(s, earlier, s->rows);
    return STAGE_TAKEN;
}

/* --- live --- */

static size_t ring_of(const row_stage *s)
{
    size_t ring = LIVE_BYTES_MAX / s->chunk_bytes;

    return ring < LIVE_CHUNKS_MAX ? ring : LIVE_CHUNKS_MAX;
}

bool stage_may_live(const row_stage *s)
{
    bool looked_at = s->rows == stage_live_after || (s->rows & (s->vector_size - 1)) == 0;

    return looked_at && s->first_key && s->rising && !s->live && s->rows >= stage_live_after &&
           s->keys.first < s->keys.last && ring_of(s) >= LIVE_CHUNKS_MIN &&
           stage_used_chunks(s) < ring_of(s) &&
           s->long_bytes <= (stage_used_chunks(s) + 1) * LIVE_TEXT_BYTES_MAX;
}

bool stage_is_live(const row_stage *s)
{
    return s->live;
}

bool stage_live(row_stage *s, const bool *fine)
{
    s->ring = ring_of(s);
    /* Nothing moves while others read. */
    if (s->chunk_room < s->ring && !make_room(s, s->ring))
        return false;
    for (size_t i = 0; i < s->count; i++)
        s->lanes[i].fine = fine[i];
    s->number = (s->rows - 1) >> s->vector_bits;
    s->into = &s->chunks[s->number];
    s->at = ((s->rows - 1) & (s->vector_size - 1)) + 1;
    s->filled = s->number;
    s->text_waiting = 0;
    for (size_t i = 0; i < s->filled; i++) {
        s->chunks[i].rows = s->vector_size;
        s->chunks[i].busy = true;
        s->text_waiting += s->chunks[i].text_bytes;
    }
    s->ended = s->stopped = s->unread_nanos = false;
    s->live = true;
    return true;
}

void stage_plain(row_stage *s)
{
    s->live = false;
}

/* The current chunk may be read, when it has rows. */
static void pass_on(row_stage *s)
{
    if (s->filled > s->number || s->at == 0)
        return;
    s->into->rows = s->at;
    s->into->busy = true;
    s->text_waiting += s->into->text_bytes;
    s->filled = s->number + 1;
    pthread_cond_broadcast(&s->changed);
}

bool stage_has_room(const row_stage *s)
{
    return s->ended || (s->at < s->vector_size && s->into->text_bytes < LIVE_TEXT_BYTES_MAX);
}

stage_fault stage_wait(row_stage *s, const struct timespec *until)
{
    size_t next = (s->number + 1) % s->ring;
    stage_fault fault = STAGE_TAKEN;

    pthread_mutex_lock(&s->lock);
    pass_on(s);
    while (!s->stopped && fault == STAGE_TAKEN &&
           ((next < s->chunk_count && s->chunks[next].busy) || s->text_waiting > LIVE_TEXT_WAITING_MAX))
        if (pthread_cond_timedwait(&s->changed, &s->lock, until) != 0)
            fault = STAGE_FULL;
    if (s->stopped)
        fault = STAGE_STOPPED;
    pthread_mutex_unlock(&s->lock);
    if (fault != STAGE_TAKEN)
        return fault;
    if (next < s->chunk_count)
        clear_chunk(&s->chunks[next], LIVE_BLOCK_MAX);
    if (!begin_chunk(s, next))
        return STAGE_NO_MEMORY;
    s->number++;
    s->at = 0;
    return STAGE_TAKEN;
}

void stage_end(row_stage *s)
{
    pthread_mutex_lock(&s->lock);
    pass_on(s);
    s->ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void stage_stop(row_stage *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopped = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

size_t stage_first_key(const row_stage *s)
{
    return s->first_key ? (size_t)(s->first_key - s->lanes) : SIZE_MAX;
}

size_t stage_rows(const row_stage *s)
{
    return s->rows;
}

size_t stage_bytes(const row_stage *s)
{
    return stage_used_chunks(s) * s->chunk_bytes + s->long_bytes;
}

key_range stage_keys(const row_stage *s)
{
    return s->keys;
}

bool stage_has_nanos(const row_stage *s, size_t column)
{
    return s->lanes[column].has_nanos;
}
