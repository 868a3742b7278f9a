/*
 * model/compare: rows of a store matched with rows of the model; see compare.h.
 *
 * Columns that are looked at are numbered by the model's table. Rows of the model stand in chains by the hash
 * of what identifies them (`by`: the key, or all columns where there is none), as the store keeps it. A row
 * of the store takes the first row of its chain that nobody has taken; what is left at the end is missing.
 */
#include "model/compare.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "model/rows.h"
#include "model/seen.h"
#include "model/value.h"

#define TEXT_MEMORY_MAX (256 * WEIR_MIB) /* of all differences that are listed */
#define SHOWN_SIZE_MAX (64 * WEIR_DIFFERENCE_TEXT_MAX)
#define SHARED_HEAD_MAX ((size_t)64) /* longer heads that two values share are not shown */

struct weir_compare {
    const weir_model_table *expected;
    const weir_layout *layout;
    weir_arena *texts; /* of the differences */
    weir_arena *arena; /* of one row */
    weir_buf shown;    /* a text that is being made */
    size_t column_count;
    weir_kept_column *kept; /* per column of the layout */
    size_t *seen_at;        /* per column of the layout: its cell in a store's row; SIZE_MAX: not looked at */
    size_t *by;
    size_t by_count;
    weir_cell *cells; /* the store's row, in the columns of the layout */
    bool *unreadable; /* its cells whose text is no value of the type */
    bool *taken;      /* per row of the model */
    uint32_t *heads;
    uint32_t *next;
    size_t head_count;
    weir_row_difference *items;
    size_t items_max;
    weir_row_diff diff;
};

void weir__compare_free(weir_compare *c)
{
    if (c == NULL)
        return;
    weir__arena_free(c->texts);
    weir__arena_free(c->arena);
    weir__buf_clear(&c->shown);
    weir__free(c->kept);
    weir__free(c->seen_at);
    weir__free(c->by);
    weir__free(c->cells);
    weir__free(c->unreadable);
    weir__free(c->taken);
    weir__free(c->heads);
    weir__free(c->next);
    weir__free(c->items);
    weir__free(c);
}

static weir_status out_of_memory(weir_error *err)
{
    return weir__error_memory(err, "comparing rows");
}

/* --- texts of differences --- */

/* Puts down a difference when there is room in the list; counting is the caller's. */
static bool list(weir_compare *c, weir_row_difference item)
{
    if (c->diff.item_count == c->items_max)
        return true;
    if (item.key == NULL || item.column == NULL || item.expected == NULL || item.got == NULL)
        return false;
    c->items[c->diff.item_count++] = item;
    return true;
}

static bool is_full(const weir_compare *c)
{
    return c->diff.item_count == c->items_max;
}

/* What is in c->shown, kept; NULL when out of memory or when `fine` is false. */
static const char *keep(weir_compare *c, bool fine)
{
    return fine ? weir__arena_copy(c->texts, c->shown.data ? c->shown.data : "", c->shown.size) : NULL;
}

static bool put_seen(weir_compare *c, size_t column, const weir_seen_cell *row)
{
    const weir_seen_cell *cell = &row[c->seen_at[column]];

    if (!c->unreadable[column])
        return weir__value_show(&c->shown, &c->cells[column], WEIR_DIFFERENCE_TEXT_MAX);
    return weir__value_show_text(&c->shown, cell->text, WEIR_DIFFERENCE_TEXT_MAX) &&
           weir__buf_printf(&c->shown, " (no %s)", weir_type_name(c->layout->table->columns[column].type));
}

static bool is_by(const weir_compare *c, size_t column)
{
    for (size_t i = 0; i < c->by_count; i++)
        if (c->by[i] == column)
            return true;
    return false;
}

/*
 * "id=7, k='a'" of the row that has been read, or its other columns. `row` NULL: of the model's row `cells`.
 */
static const char *show_columns(weir_compare *c, const weir_cell *cells, const weir_seen_cell *row, bool by)
{
    bool fine = true;

    c->shown.size = 0;
    for (size_t i = 0; i < c->layout->table->column_count && fine; i++) {
        if (c->seen_at[i] == SIZE_MAX || is_by(c, i) != by)
            continue;
        fine = weir__buf_printf(&c->shown, "%s%s=", c->shown.size > 0 ? ", " : "",
                                c->layout->table->columns[i].name) &&
               (row != NULL ? put_seen(c, i, row)
                            : weir__value_show(&c->shown, &cells[i], WEIR_DIFFERENCE_TEXT_MAX));
        if (c->shown.size > SHOWN_SIZE_MAX / 2)
            fine = fine && weir__buf_put_text(&c->shown, ", ...");
        if (c->shown.size > SHOWN_SIZE_MAX / 2)
            break;
    }
    return keep(c, fine);
}

static bool is_text(const weir_cell *cell)
{
    return cell->presence == WEIR_VALUE && (cell->type == WEIR_STRING || cell->type == WEIR_XML ||
                                            cell->type == WEIR_JSON || cell->type == WEIR_BINARY);
}

/*
 * Bytes at the head of two values that need not be shown: none, or where they begin to differ, less a little.
 */
static size_t shared_head(const weir_cell *a, const weir_cell *b)
{
    size_t size = 0;

    if (!is_text(a) || !is_text(b))
        return 0;
    while (size < a->as.bytes.size && size < b->as.bytes.size &&
           a->as.bytes.data[size] == b->as.bytes.data[size])
        size++;
    if (size <= SHARED_HEAD_MAX)
        return 0;
    size -= SHARED_HEAD_MAX / 4;
    while (size > 0 && ((unsigned char)a->as.bytes.data[size] & 0xC0) == 0x80)
        size--; /* not inside a character */
    return size;
}

static const char *show_from(weir_compare *c, const weir_cell *cell, size_t head)
{
    weir_cell rest = *cell;
    bool fine = true;

    c->shown.size = 0;
    if (head > 0) {
        rest.as.bytes.data += head;
        rest.as.bytes.size -= head;
        fine = weir__buf_printf(&c->shown, "[from byte %zu] ", head);
    }
    return keep(c, fine && weir__value_show(&c->shown, &rest, WEIR_DIFFERENCE_TEXT_MAX));
}

/* --- the beginning --- */

static void choose_columns(weir_compare *c, const char *const *columns, const weir_compare_options *options)
{
    const weir_table *table = c->layout->table;

    for (size_t i = 0; i < table->column_count; i++) {
        c->kept[i] = options->others;
        for (size_t o = 0; o < options->column_count; o++)
            if (strcmp(options->columns[o].name, table->columns[i].name) == 0)
                c->kept[i] = options->columns[o];
        c->seen_at[i] = SIZE_MAX;
        for (size_t s = 0; s < c->column_count && !c->kept[i].ignore; s++)
            if (strcmp(columns[s], table->columns[i].name) == 0)
                c->seen_at[i] = s;
    }
}

static weir_status check_columns(weir_compare *c, weir_error *err)
{
    const weir_table *table = c->layout->table;
    const char *column;

    for (size_t i = 0; i < table->column_count; i++) {
        if (c->kept[i].ignore || c->seen_at[i] != SIZE_MAX)
            continue;
        if (table->columns[i].key)
            return weir__error(err,
                               "comparing table '%s': the store's table has no key column '%s', so rows "
                               "cannot be matched",
                               table->name, table->columns[i].name);
        c->diff.missing_columns++;
        column = weir__arena_copy(c->texts, table->columns[i].name, strlen(table->columns[i].name));
        if (!list(c, (weir_row_difference){ WEIR_COLUMN_MISSING, "", column, "", "" }))
            return out_of_memory(err);
    }
    return WEIR_OK;
}

/* What rows are matched by; without a key that is looked at, all columns that are. */
static void choose_by(weir_compare *c)
{
    const weir_table *table = c->layout->table;
    bool keyed = false;

    for (size_t i = 0; i < table->column_count; i++)
        keyed = keyed || (table->columns[i].key && c->seen_at[i] != SIZE_MAX);
    for (size_t i = 0; i < table->column_count; i++)
        if (c->seen_at[i] != SIZE_MAX && (table->columns[i].key || !keyed))
            c->by[c->by_count++] = i;
}

/* JSON may be written in another way, so it tells nothing here. */
static uint64_t hash_row(const weir_compare *c, const weir_cell *cells)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < c->by_count; i++) {
        weir_cell kept = weir__kept_cell(&cells[c->by[i]], &c->kept[c->by[i]]);

        if (kept.type != WEIR_JSON)
            hash = weir__value_hash(&kept, hash);
    }
    return hash;
}

static void index_rows(weir_compare *c)
{
    for (size_t i = c->expected->count; i-- > 0;) {
        uint32_t *head = &c->heads[hash_row(c, c->expected->rows[i]->cells) & (c->head_count - 1)];

        c->next[i] = *head;
        *head = (uint32_t)i + 1;
    }
}

static bool allocate(weir_compare *c, const weir_compare_options *options)
{
    size_t columns = c->layout->table->column_count;
    size_t rows = c->expected->count;

    c->items_max = options->differences_max > 0 ? options->differences_max : WEIR_DIFFERENCES_MAX;
    c->head_count = 16;
    while (c->head_count < rows)
        c->head_count *= 2;
    weir__buf_init(&c->shown, SHOWN_SIZE_MAX * 2 + columns * WEIR_NAME_SIZE_MAX);
    c->texts = weir__arena_new(TEXT_MEMORY_MAX);
    c->arena = weir__arena_new(4 * WEIR_ROW_SIZE_MAX);
    c->kept = weir__calloc(columns, sizeof *c->kept);
    c->seen_at = weir__calloc(columns, sizeof *c->seen_at);
    c->by = weir__calloc(columns, sizeof *c->by);
    c->cells = weir__calloc(columns, sizeof *c->cells);
    c->unreadable = weir__calloc(columns, sizeof *c->unreadable);
    c->taken = weir__calloc(rows + 1, sizeof *c->taken);
    c->heads = weir__calloc(c->head_count, sizeof *c->heads);
    c->next = weir__calloc(rows + 1, sizeof *c->next);
    c->items = weir__calloc(c->items_max, sizeof *c->items);
    return c->texts && c->arena && c->kept && c->seen_at && c->by && c->cells && c->unreadable && c->taken &&
           c->heads && c->next && c->items;
}

weir_status weir__compare_new(const weir_model_table *expected, const char *const *columns,
                              size_t column_count, const weir_compare_options *options, weir_compare **out,
                              weir_error *err)
{
    static const weir_compare_options none = { 0 };
    weir_compare *c = weir__calloc(1, sizeof *c);
    weir_status status;

    if (c == NULL)
        return out_of_memory(err);
    c->expected = expected;
    c->layout = expected->layout;
    c->column_count = column_count;
    c->diff.schema = c->layout->table->schema ? c->layout->table->schema : "";
    c->diff.table = c->layout->table->name;
    c->diff.expected_rows = expected->count;
    if (options == NULL)
        options = &none;
    status = allocate(c, options) ? WEIR_OK : out_of_memory(err);
    if (status == WEIR_OK) {
        choose_columns(c, columns, options);
        status = check_columns(c, err);
    }
    if (status != WEIR_OK) {
        weir__compare_free(c);
        return status;
    }
    choose_by(c);
    index_rows(c);
    *out = c;
    return WEIR_OK;
}

/* --- rows --- */

static weir_status read_row(weir_compare *c, const weir_seen_cell *row, weir_error *err)
{
    const weir_table *table = c->layout->table;

    weir__arena_reset(c->arena);
    for (size_t i = 0; i < table->column_count; i++) {
        weir_status status;

        c->cells[i] = (weir_cell){ .type = table->columns[i].type, .presence = WEIR_UNMODIFIED };
        c->unreadable[i] = false;
        if (c->seen_at[i] == SIZE_MAX)
            continue;
        status = weir__seen_read(&row[c->seen_at[i]], &table->columns[i], c->arena, &c->cells[i]);
        if (status == WEIR_FAILED)
            return out_of_memory(err);
        c->unreadable[i] = status == WEIR_ITEM;
    }
    return WEIR_OK;
}

static bool same(const weir_compare *c, size_t row, size_t column)
{
    return !c->unreadable[column] &&
           weir__seen_equal(&c->expected->rows[row]->cells[column], &c->cells[column], &c->kept[column]);
}

static bool matches(const weir_compare *c, size_t row)
{
    for (size_t i = 0; i < c->by_count; i++)
        if (!same(c, row, c->by[i]))
            return false;
    return true;
}

/* The row of the model that the store's row stands for, now taken; SIZE_MAX: none. */
static size_t take(weir_compare *c)
{
    uint32_t at = c->heads[hash_row(c, c->cells) & (c->head_count - 1)];

    for (; at != 0; at = c->next[at - 1])
        if (!c->taken[at - 1] && matches(c, at - 1)) {
            c->taken[at - 1] = true;
            return at - 1;
        }
    return SIZE_MAX;
}

static bool list_changed(weir_compare *c, size_t row, size_t column, const weir_seen_cell *seen)
{
    const weir_cell *expected = &c->expected->rows[row]->cells[column];
    const char *name = c->layout->table->columns[column].name;
    size_t head = c->unreadable[column] ? 0 : shared_head(expected, &c->cells[column]);
    weir_row_difference item = { .kind = WEIR_CELL_CHANGED };

    if (is_full(c))
        return true;
    item.key = show_columns(c, c->expected->rows[row]->cells, NULL, true);
    item.column = weir__arena_copy(c->texts, name, strlen(name));
    item.expected = show_from(c, expected, head);
    if (c->unreadable[column]) {
        c->shown.size = 0;
        item.got = keep(c, put_seen(c, column, seen));
    } else
        item.got = show_from(c, &c->cells[column], head);
    return list(c, item);
}

static weir_status compare_cells(weir_compare *c, size_t row, const weir_seen_cell *seen, weir_error *err)
{
    size_t before = c->diff.changed;

    for (size_t i = 0; i < c->layout->table->column_count; i++) {
        if (c->seen_at[i] == SIZE_MAX || same(c, row, i))
            continue;
        c->diff.changed++;
        if (!list_changed(c, row, i, seen))
            return out_of_memory(err);
    }
    c->diff.changed_rows += c->diff.changed > before;
    return WEIR_OK;
}

weir_status weir__compare_row(weir_compare *c, const weir_seen_cell *cells, weir_error *err)
{
    weir_row_difference item = { .kind = WEIR_ROW_EXTRA, .column = "", .expected = "" };
    weir_status status = read_row(c, cells, err);
    size_t row;

    if (status != WEIR_OK)
        return status;
    c->diff.seen_rows++;
    row = take(c);
    if (row != SIZE_MAX)
        return compare_cells(c, row, cells, err);
    c->diff.extra++;
    if (is_full(c))
        return WEIR_OK;
    item.key = show_columns(c, NULL, cells, true);
    item.got = show_columns(c, NULL, cells, false);
    return list(c, item) ? WEIR_OK : out_of_memory(err);
}

/* --- the end --- */

static int compare_numbers(const void *a, const void *b, void *table)
{
    const weir_model_table *rows = table;

    return weir__rows_compare(rows->layout, rows->rows[*(const uint32_t *)a]->cells,
                              rows->rows[*(const uint32_t *)b]->cells);
}

static weir_status list_missing(weir_compare *c, const uint32_t *rows, size_t count, weir_error *err)
{
    for (size_t i = 0; i < count && !is_full(c); i++) {
        const char *key = show_columns(c, c->expected->rows[rows[i]]->cells, NULL, true);
        const char *rest = show_columns(c, c->expected->rows[rows[i]]->cells, NULL, false);

        if (!list(c, (weir_row_difference){ WEIR_ROW_MISSING, key, "", rest, "" }))
            return out_of_memory(err);
    }
    return WEIR_OK;
}

weir_status weir__compare_end(weir_compare *c, const weir_row_diff **out, weir_error *err)
{
    uint32_t *rows = weir__calloc(c->expected->count + 1, sizeof *rows);
    size_t count = 0;
    weir_status status;

    if (rows == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < c->expected->count; i++)
        if (!c->taken[i])
            rows[count++] = (uint32_t)i;
    qsort_r(rows, count, sizeof *rows, compare_numbers, (void *)c->expected);
    status = list_missing(c, rows, count, err);
    weir__free(rows);
    if (status != WEIR_OK)
        return status;
    c->diff.missing = count;
    c->diff.items = c->items;
    *out = &c->diff;
    return WEIR_OK;
}
