/* model/compare: differences for people and for programs; see compare.h. */
#include "base/limits.h"
#include "base/utf8.h"
#include "data/json_tree.h"
#include "model/compare.h"

#define KEY_WIDTH_MAX ((size_t)48)
#define COLUMN_WIDTH_MAX ((size_t)32)

static const char *const kinds[] = { "", "missing", "extra", "changed", "column" };

bool weir__row_diff_equal(const weir_row_diff *diff)
{
    return diff->missing + diff->extra + diff->changed + diff->missing_columns == 0;
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static size_t widest(const weir_row_diff *diff, bool column, size_t most)
{
    size_t width = 0;

    for (size_t i = 0; i < diff->item_count; i++) {
        size_t own = width_of(column ? diff->items[i].column : diff->items[i].key);

        if (own > width && own <= most)
            width = own;
    }
    return width;
}

static bool put_padded(weir_buf *out, const char *text, size_t width)
{
    size_t own = width_of(text);

    return weir__buf_printf(out, "%s%*s  ", text, own < width ? (int)(width - own) : 0, "");
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static bool put_counts(weir_buf *out, const weir_row_diff *diff)
{
    if (!weir__buf_printf(out, "%s%s%s: %zu row%s expected, %zu found", diff->schema,
                          diff->schema[0] != '\0' ? "." : "", diff->table, diff->expected_rows,
                          plural(diff->expected_rows), diff->seen_rows))
        return false;
    if (weir__row_diff_equal(diff))
        return weir__buf_put_text(out, ", all equal\n");
    if (diff->missing_columns > 0 && !weir__buf_printf(out, ", %zu column%s missing", diff->missing_columns,
                                                       plural(diff->missing_columns)))
        return false;
    return weir__buf_printf(out, ", %zu missing, %zu extra, %zu cell%s changed in %zu row%s\n", diff->missing,
                            diff->extra, diff->changed, plural(diff->changed), diff->changed_rows,
                            plural(diff->changed_rows));
}

static bool put_item(weir_buf *out, const weir_row_difference *item, size_t key_width, size_t column_width)
{
    if (!weir__buf_printf(out, "  %-7s  ", kinds[item->kind]))
        return false;
    if (item->kind == WEIR_COLUMN_MISSING)
        return weir__buf_printf(out, "%s is not in the store's table\n", item->column);
    if (item->kind != WEIR_CELL_CHANGED) {
        const char *rest = item->kind == WEIR_ROW_MISSING ? item->expected : item->got;

        return rest[0] == '\0' ? weir__buf_printf(out, "%s\n", item->key)
                               : put_padded(out, item->key, key_width) && weir__buf_printf(out, "%s\n", rest);
    }
    return put_padded(out, item->key, key_width) && put_padded(out, item->column, column_width) &&
           weir__buf_printf(out, "expected %s, got %s\n", item->expected, item->got);
}

weir_status weir__row_diff_print(const weir_row_diff *diff, weir_buf *out, weir_error *err)
{
    size_t all = diff->missing + diff->extra + diff->changed + diff->missing_columns;
    size_t key_width = widest(diff, false, KEY_WIDTH_MAX);
    size_t column_width = widest(diff, true, COLUMN_WIDTH_MAX);
    size_t start = out->size;
    bool fine = put_counts(out, diff);

    for (size_t i = 0; i < diff->item_count && fine; i++)
        fine = put_item(out, &diff->items[i], key_width, column_width);
    if (fine && all > diff->item_count)
        fine = weir__buf_printf(out, "  ... and %zu more\n", all - diff->item_count);
    if (fine)
        return WEIR_OK;
    out->size = start;
    return weir__error_memory(err, "printing differences of rows");
}

static json_t *item_json(const weir_row_difference *item)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", kinds[item->kind], "key", item->key, "column",
                     item->column, "expected", item->expected, "got", item->got);
}

static json_t *counts_json(const weir_row_diff *diff)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "schema", diff->schema, "table",
                     diff->table, "expected_rows", (json_int_t)diff->expected_rows, "rows",
                     (json_int_t)diff->seen_rows, "missing", (json_int_t)diff->missing, "extra",
                     (json_int_t)diff->extra, "changed", (json_int_t)diff->changed, "changed_rows",
                     (json_int_t)diff->changed_rows, "missing_columns", (json_int_t)diff->missing_columns);
}

weir_status weir__row_diff_json(const weir_row_diff *diff, weir_buf *out, weir_error *err)
{
    json_t *object = counts_json(diff);
    json_t *items = json_array();
    bool fine = object != NULL && items != NULL;

    for (size_t i = 0; i < diff->item_count && fine; i++)
        fine = json_array_append_new(items, item_json(&diff->items[i])) == 0;
    fine = fine && json_object_set(object, "differences", items) == 0 &&
           weir__json_put(out, object, JSON_COMPACT);
    json_decref(items);
    json_decref(object);
    return fine ? WEIR_OK : weir__error_memory(err, "printing differences of rows");
}
