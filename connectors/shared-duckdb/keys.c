/* shared-duckdb/keys: a sorted array of ranges. */
#include "keys.h"

#include <string.h>

bool keys_touch(const key_ranges *all, key_range range)
{
    for (size_t i = 0; i < all->count; i++)
        if (range.first <= all->items[i].last && all->items[i].first <= range.last)
            return true;
    return false;
}

/* Makes one range of number `at` and the one after it. */
static void join(key_ranges *all, size_t at)
{
    key_range *items = all->items;

    if (items[at].last < items[at + 1].last)
        items[at].last = items[at + 1].last;
    memmove(&items[at + 1], &items[at + 2], (all->count - at - 2) * sizeof *items);
    all->count--;
}

void keys_add(key_ranges *all, key_range range)
{
    key_range *items = all->items;
    size_t at = 0, nearest = 0;

    if (range.first > range.last)
        return;
    while (at < all->count && items[at].first <= range.first)
        at++;
    memmove(&items[at + 1], &items[at], (all->count - at) * sizeof *items);
    items[at] = range;
    all->count++;
    if (at > 0 && items[at - 1].last >= range.first)
        join(all, --at);
    while (at + 1 < all->count && items[at + 1].first <= items[at].last)
        join(all, at);
    if (all->count <= KEY_RANGES_MAX)
        return;
    for (size_t i = 1; i + 1 < all->count; i++)
        if (items[i + 1].first - items[i].last < items[nearest + 1].first - items[nearest].last)
            nearest = i;
    join(all, nearest);
}
