/* sdk/changes: the differences of two tables in the words of <weir/destination.h>. */
#include "sdk/changes.h"

#include "data/table.h"

/* The change for one difference; WEIR_CHANGE_KEY when it is of the key alone. */
static weir_change change_of(const weir_difference *difference, bool drop_columns)
{
    weir_change change = { WEIR_CHANGE_KEY, difference->after, difference->before };

    if (difference->kind == WEIR_DIFFERENCE_ADD)
        change.kind = WEIR_ADD_COLUMN;
    else if (difference->kind == WEIR_DIFFERENCE_TYPE || difference->kind == WEIR_DIFFERENCE_PARAMS)
        change.kind = WEIR_CHANGE_TYPE;
    else if (difference->kind == WEIR_DIFFERENCE_DROP)
        change.kind = drop_columns ? WEIR_DROP_COLUMN : WEIR_KEEP_COLUMN;
    return change;
}

bool weir__changes_find(const weir_table *stored, const weir_table *wanted, bool drop_columns,
                        weir_arena *arena, weir_changes *out)
{
    weir_difference *found;
    weir_change *items;
    size_t found_count;
    size_t count = 0;
    bool key_differs = false;

    if (weir__table_compare(stored, wanted, arena, &found, &found_count) != WEIR_OK)
        return false;
    items = weir__arena_array(arena, found_count + 1, sizeof *items); /* one more for the key */
    if (items == NULL)
        return false;
    for (size_t i = 0; i < found_count; i++) {
        bool was_key = found[i].before != NULL && found[i].before->key;
        bool is_key = found[i].after != NULL && found[i].after->key;

        key_differs = key_differs || was_key != is_key;
        items[count] = change_of(&found[i], drop_columns);
        if (items[count].kind != WEIR_CHANGE_KEY)
            count++;
    }
    if (key_differs)
        items[count++] = (weir_change){ .kind = WEIR_CHANGE_KEY };
    *out = (weir_changes){ .items = items, .count = count, .stored = stored };
    return true;
}
