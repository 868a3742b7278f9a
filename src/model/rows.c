/* model/rows: layouts, stored rows and the chains that find them; see rows.h. */
#include "model/rows.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"
#include "data/table.h"
#include "data/type.h"
#include "model/value.h"

#define CAPACITY_FIRST ((size_t)16)

static_assert(WEIR_MODEL_ROWS_MAX < UINT32_MAX / 2, "row numbers fit into the chains");

/* --- layouts --- */

static size_t find_typed(const weir_table *table, const char *name, bool boolean)
{
    size_t index = weir__table_find(table, weir__text(name));

    if (index == SIZE_MAX)
        return SIZE_MAX;
    if (boolean)
        return table->columns[index].type == WEIR_BOOLEAN ? index : SIZE_MAX;
    return weir__type_is_calendar(table->columns[index].type) ? index : SIZE_MAX;
}

static bool fill_layout(weir_layout *layout, const weir_table *table)
{
    size_t *key = weir__arena_array(layout->arena, table->column_count + 1, sizeof *key);
    size_t *own = weir__arena_array(layout->arena, table->column_count + 1, sizeof *own);

    layout->table = weir__table_copy(table, layout->arena);
    if (key == NULL || own == NULL || layout->table == NULL)
        return false;
    layout->key = key;
    layout->own = own;
    layout->start = find_typed(table, "_fivetran_start", false);
    layout->end = find_typed(table, "_fivetran_end", false);
    layout->active = find_typed(table, "_fivetran_active", true);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key)
            continue;
        key[layout->key_count++] = i;
        if (i != layout->start)
            own[layout->own_count++] = i;
    }
    if (layout->own_count == 0 && layout->key_count > 0)
        own[layout->own_count++] = key[0];
    return true;
}

weir_layout *weir__layout_new(const weir_table *table)
{
    weir_layout *layout = weir__calloc(1, sizeof *layout);

    if (layout == NULL)
        return NULL;
    layout->holders = 1;
    layout->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (layout->arena != NULL && fill_layout(layout, table))
        return layout;
    weir__layout_release(layout);
    return NULL;
}

void weir__layout_release(weir_layout *layout)
{
    if (layout == NULL || --layout->holders > 0)
        return;
    weir__arena_free(layout->arena);
    weir__free(layout);
}

bool weir__layout_is_history(const weir_layout *layout)
{
    return layout->start != SIZE_MAX && layout->end != SIZE_MAX && layout->active != SIZE_MAX &&
           layout->table->columns[layout->start].key && layout->key_count > 1;
}

size_t weir__layout_column(const weir_layout *layout, const char *name)
{
    return weir__table_find(layout->table, weir__text(name));
}

/* True when versions of a row are found by another index than rows are. */
static bool has_versions(const weir_layout *layout)
{
    return layout->own_count != layout->key_count;
}

/* --- stored rows --- */

static bool has_run(const weir_cell *cell)
{
    return cell->presence == WEIR_VALUE && weir__type_is_bytes(cell->type);
}

static uint64_t hash_of(const weir_cell *cells, const size_t *columns, size_t count)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < count; i++)
        hash = weir__value_hash(&cells[columns[i]], hash);
    return hash;
}

weir_stored *weir__stored_new(const weir_layout *layout, const weir_cell *cells)
{
    size_t count = layout->table->column_count;
    size_t head = sizeof(weir_stored) + count * sizeof *cells;
    size_t size = head;
    weir_stored *row;
    char *bytes;

    for (size_t i = 0; i < count; i++)
        size += has_run(&cells[i]) ? cells[i].as.bytes.size : 0;
    row = weir__malloc(size);
    if (row == NULL)
        return NULL;
    bytes = (char *)row + head;
    for (size_t i = 0; i < count; i++) {
        row->cells[i] = cells[i];
        row->cells[i].column = layout->table->columns[i].name;
        if (!has_run(&cells[i]))
            continue;
        if (cells[i].as.bytes.size > 0)
            memcpy(bytes, cells[i].as.bytes.data, cells[i].as.bytes.size);
        row->cells[i].as.bytes.data = bytes;
        bytes += cells[i].as.bytes.size;
    }
    row->holders = 1;
    row->key_hash = hash_of(row->cells, layout->key, layout->key_count);
    for (size_t i = 0; i < count && layout->key_count == 0; i++)
        row->key_hash = weir__value_hash(&row->cells[i], row->key_hash);
    row->own_hash = hash_of(row->cells, layout->own, layout->own_count);
    return row;
}

void weir__stored_release(weir_stored *row)
{
    if (row != NULL && --row->holders == 0)
        weir__free(row);
}

static int compare_columns(const weir_cell *a, const weir_cell *b, const size_t *columns, size_t count)
{
    int sign = 0;

    for (size_t i = 0; i < count && sign == 0; i++)
        sign = weir__value_compare(&a[columns[i]], &b[columns[i]]);
    return sign;
}

bool weir__same_key(const weir_layout *layout, const weir_cell *a, const weir_cell *b)
{
    return compare_columns(a, b, layout->key, layout->key_count) == 0;
}

bool weir__same_own(const weir_layout *layout, const weir_cell *a, const weir_cell *b)
{
    return weir__own_compare(layout, a, b) == 0;
}

int weir__own_compare(const weir_layout *layout, const weir_cell *a, const weir_cell *b)
{
    return compare_columns(a, b, layout->own, layout->own_count);
}

int weir__rows_compare(const weir_layout *layout, const weir_cell *a, const weir_cell *b)
{
    int sign = weir__own_compare(layout, a, b);

    if (sign == 0)
        sign = compare_columns(a, b, layout->key, layout->key_count);
    for (size_t i = 0; i < layout->table->column_count && sign == 0; i++)
        sign = weir__value_compare(&a[i], &b[i]);
    return sign;
}

void weir__show_key(const weir_layout *layout, const weir_cell *cells, char out[512])
{
    weir_buf text = { .data = out, .capacity = 511, .size_max = 511 };
    size_t count = layout->key_count > 0 ? layout->key_count : layout->table->column_count;
    bool fine = true;

    for (size_t i = 0; i < count && fine; i++) {
        size_t column = layout->key_count > 0 ? layout->key[i] : i;
        const char *name = layout->table->columns[column].name;
        int size = (int)weir__utf8_cut(name, strlen(name), 64);

        fine = text.size < WEIR_DIFFERENCE_TEXT_MAX &&
               weir__buf_printf(&text, "%s%.*s=", i > 0 ? ", " : "", size, name) &&
               weir__value_show(&text, &cells[column], 64);
    }
    out[text.size] = '\0';
}

/* --- tables --- */

weir_model_table *weir__rows_new(weir_layout *layout)
{
    weir_model_table *table = weir__calloc(1, sizeof *table);

    if (table == NULL)
        return NULL;
    table->layout = layout;
    layout->holders++;
    return table;
}

void weir__rows_free(weir_model_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        weir__stored_release(table->rows[i]);
    weir__free(table->rows);
    weir__free(table->by_key.heads);
    weir__free(table->by_key.next);
    weir__free(table->by_own.heads);
    weir__free(table->by_own.next);
    weir__layout_release(table->layout);
    weir__free(table);
}

static bool chains_new(weir_chains *chains, size_t capacity)
{
    chains->heads = weir__calloc(capacity, sizeof *chains->heads);
    chains->next = weir__calloc(capacity, sizeof *chains->next);
    return chains->heads != NULL && chains->next != NULL;
}

static void chain(weir_chains *chains, size_t capacity, uint64_t hash, size_t index)
{
    uint32_t *head = &chains->heads[hash & (capacity - 1)];

    chains->next[index] = *head;
    *head = (uint32_t)index + 1;
}

/* The place that points to row `index`. */
static uint32_t *pointer_to(weir_chains *chains, size_t capacity, uint64_t hash, size_t index)
{
    uint32_t *at = &chains->heads[hash & (capacity - 1)];

    while (*at != index + 1) {
        assert(*at != 0);
        at = &chains->next[*at - 1];
    }
    return at;
}

static void chain_row(weir_model_table *table, size_t index)
{
    chain(&table->by_key, table->capacity, table->rows[index]->key_hash, index);
    if (has_versions(table->layout))
        chain(&table->by_own, table->capacity, table->rows[index]->own_hash, index);
}

/* A table of the same rows with room for `capacity`, which is a power of two; NULL when out of memory. */
static weir_model_table *copy_with_room(const weir_model_table *table, size_t capacity)
{
    weir_model_table *copy = weir__rows_new(table->layout);

    if (copy == NULL || capacity == 0)
        return copy;
    copy->capacity = capacity;
    copy->rows = weir__calloc(capacity, sizeof(weir_stored *));
    if (copy->rows == NULL || !chains_new(&copy->by_key, capacity) ||
        (has_versions(table->layout) && !chains_new(&copy->by_own, capacity))) {
        weir__rows_free(copy);
        return NULL;
    }
    for (size_t i = 0; i < table->count; i++) {
        copy->rows[i] = table->rows[i];
        copy->rows[i]->holders++;
        copy->count++;
        chain_row(copy, i);
    }
    return copy;
}

weir_model_table *weir__rows_copy(const weir_model_table *table)
{
    return copy_with_room(table, table->capacity);
}

static bool grow(weir_model_table *table)
{
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : CAPACITY_FIRST;
    weir_model_table *larger;
    weir_model_table old = *table;

    if (table->count < table->capacity)
        return true;
    if (table->count >= WEIR_MODEL_ROWS_MAX)
        return false;
    larger = copy_with_room(table, capacity);
    if (larger == NULL)
        return false;
    *table = *larger;
    *larger = old;
    weir__rows_free(larger);
    return true;
}

size_t weir__rows_find(const weir_model_table *table, const weir_cell *cells)
{
    const weir_layout *layout = table->layout;
    uint64_t hash = hash_of(cells, layout->key, layout->key_count);
    uint32_t at;

    if (layout->key_count == 0 || table->capacity == 0)
        return SIZE_MAX;
    at = table->by_key.heads[hash & (table->capacity - 1)];
    for (; at != 0; at = table->by_key.next[at - 1])
        if (table->rows[at - 1]->key_hash == hash &&
            weir__same_key(layout, table->rows[at - 1]->cells, cells))
            return at - 1;
    return SIZE_MAX;
}

size_t weir__rows_next_version(const weir_model_table *table, const weir_cell *cells, size_t after)
{
    const weir_layout *layout = table->layout;
    const weir_chains *chains = has_versions(layout) ? &table->by_own : &table->by_key;
    uint64_t hash = hash_of(cells, layout->own, layout->own_count);
    uint32_t at;

    if (layout->own_count == 0 || table->capacity == 0)
        return SIZE_MAX;
    at = after == SIZE_MAX ? chains->heads[hash & (table->capacity - 1)] : chains->next[after];
    for (; at != 0; at = chains->next[at - 1])
        if (table->rows[at - 1]->own_hash == hash &&
            weir__same_own(layout, table->rows[at - 1]->cells, cells))
            return at - 1;
    return SIZE_MAX;
}

bool weir__rows_put(weir_model_table *table, weir_stored *row)
{
    size_t index = weir__rows_find(table, row->cells);

    if (index != SIZE_MAX) {
        weir__rows_exchange(table, index, row);
        return true;
    }
    if (!grow(table)) {
        weir__stored_release(row);
        return false;
    }
    index = table->count++;
    table->rows[index] = row;
    chain_row(table, index);
    return true;
}

void weir__rows_exchange(weir_model_table *table, size_t index, weir_stored *row)
{
    weir_stored *old = table->rows[index];

    if (table->layout->key_count == 0)
        row->key_hash = old->key_hash; /* it stands in the old one's chain */
    assert(old->key_hash == row->key_hash);
    table->rows[index] = row;
    weir__stored_release(old);
}

static void unchain(weir_chains *chains, size_t capacity, uint64_t hash, size_t index)
{
    uint32_t *at = pointer_to(chains, capacity, hash, index);

    *at = chains->next[index];
}

/* Row `last` gets the number `index`, which is out of its chain. */
static void renumber(weir_chains *chains, size_t capacity, uint64_t hash, size_t last, size_t index)
{
    *pointer_to(chains, capacity, hash, last) = (uint32_t)index + 1;
    chains->next[index] = chains->next[last];
}

void weir__rows_remove(weir_model_table *table, size_t index)
{
    size_t last = table->count - 1;
    bool versions = has_versions(table->layout);
    weir_stored *row = table->rows[index];

    unchain(&table->by_key, table->capacity, table->rows[index]->key_hash, index);
    if (versions)
        unchain(&table->by_own, table->capacity, row->own_hash, index);
    if (last != index) {
        renumber(&table->by_key, table->capacity, table->rows[last]->key_hash, last, index);
        if (versions)
            renumber(&table->by_own, table->capacity, table->rows[last]->own_hash, last, index);
        table->rows[index] = table->rows[last];
    }
    table->count--;
    weir__stored_release(row);
}
