/*
 * Attacks the reading of cells that come out of stores (model/seen): byte 0 is the hint, byte 1 the type and
 * the way a store keeps it, the rest a text. Invariants: what is read equals itself, also as the store keeps
 * it, and keeping it twice is keeping it once; it and its text can be shown as well-formed UTF-8.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/seen.h"
#include "model/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())
#define MEMORY_MAX ((size_t)1 << 26)

static void check_shown(bool fine, const weir_buf *text)
{
    CHECK(fine && weir__utf8_valid(text->data, text->size));
}

static void check_cell(const weir_cell *cell, const weir_kept_column *how)
{
    weir_cell kept = weir__kept_cell(cell, how);
    weir_cell again = weir__kept_cell(&kept, how);

    CHECK(weir__value_compare(cell, cell) == 0);
    CHECK(weir__value_compare(&kept, &again) == 0);
    CHECK(weir__value_hash(&kept, 1) == weir__value_hash(&again, 1));
    CHECK(weir__seen_equal(cell, cell, how) && weir__seen_equal(cell, &kept, how));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_column column = { .name = "c" };
    weir_kept_column how = { .name = "c" };
    weir_seen_cell seen = { 0 };
    weir_cell cell = { 0 };
    weir_arena *arena = weir__arena_new(MEMORY_MAX);
    weir_buf text;

    CHECK(arena != NULL);
    weir__buf_init(&text, MEMORY_MAX);
    if (size >= 2) {
        seen.kind = (weir_seen_kind)(data[0] % (WEIR_SEEN_JSON + 1));
        seen.text = (weir_bytes){ (const char *)data + 2, size - 2 };
        column.type = (weir_type)(1 + data[1] % (WEIR_TYPE_COUNT - 1));
        how.coarse = data[0] & 0x80;
        how.rounds = data[0] & 0x40;
        how.time_digits = (uint8_t)(data[1] / WEIR_TYPE_COUNT % 10);
        how.single = data[0] & 0x20;
        how.empty_is_null = data[0] & 0x10;
        check_shown(weir__value_show_text(&text, seen.text, 64), &text);
        if (weir__seen_read(&seen, &column, arena, &cell) == WEIR_OK) {
            check_cell(&cell, &how);
            text.size = 0;
            check_shown(weir__value_show(&text, &cell, 64), &text);
        }
    }
    weir__buf_clear(&text);
    weir__arena_free(arena);
    return 0;
}
