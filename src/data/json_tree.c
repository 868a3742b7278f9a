/* data/json_tree: see json_tree.h. json_dumpb is asked twice: how long it is, and for the text. */
#include "data/json_tree.h"

bool weir__json_put(weir_buf *out, const json_t *value, size_t flags)
{
    size_t size = json_dumpb(value, NULL, 0, flags);
    char *room = size > 0 ? weir__buf_reserve(out, size) : NULL;

    if (room == NULL || json_dumpb(value, room, size, flags) != size)
        return false;
    out->size += size;
    return true;
}
