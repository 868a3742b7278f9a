/*
 * Arbitrary Update messages through ingest and fold.
 *
 * Input: one byte of settings, then messages, each behind its size (2 bytes, little-endian). Attacked is that
 * whatever a source sends, ingest ends with a status and an error text, no window has more or fewer cells
 * than it says, no key comes twice in one window, and no row of a failed stream is handed out after its last
 * checkpoint.
 */
#include <stdlib.h>
#include <string.h>

#include "../tests/unit/engine/null_port.h"
#include "batch/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void check_row(const fold_row *row)
{
    const char *at = row->text;
    size_t left = row->size;

    for (uint32_t i = 0; i < row->cells; i++) {
        size_t cell = weir__csv_cell_size(at, left);

        require(cell <= left && (cell == left) == (i + 1 == row->cells));
        at += cell + (cell < left);
        left -= cell + (cell < left);
    }
}

static void check_window(null_port *n, const fold_window *window)
{
    uint32_t rows = 0;

    (void)n;
    for (size_t p = 0; p < window->part_count; p++)
        for (uint32_t i = window->parts[p].first; i != FOLD_NONE; i = window->rows[i].next, rows++) {
            require(window->rows[i].table == window->parts[p].table);
            check_row(&window->rows[i]);
            for (uint32_t j = window->rows[i].next; j != FOLD_NONE; j = window->rows[j].next)
                require(memcmp(&window->rows[i].hash, &window->rows[j].hash, sizeof(weir_hash128)) != 0);
        }
    require(rows == window->row_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_status status = WEIR_OK;
    weir_error err = { .text = "" };
    null_port n;

    if (size == 0 || !null_open_ingest(&n, 4096, 16))
        return 0;
    n.check = check_window;
    n.idle = data[0] & 1;
    for (size_t at = 1; at + 2 <= size && status == WEIR_OK;) {
        size_t length = (size_t)(data[at] | data[at + 1] << 8);

        at += 2;
        if (length > size - at)
            length = size - at;
        n.now_ns += (data[0] & 2) ? INT64_C(400000000) : 0;
        status = ingest_message(n.in, (weir_bytes){ (const char *)data + at, length }, &err);
        if (status == WEIR_OK)
            status = ingest_tick(n.in, &err);
        at += length;
    }
    require(status == WEIR_OK || err.status == status);
    if (status == WEIR_OK)
        status = ingest_finish(n.in, &err);
    if (status != WEIR_OK)
        status = ingest_fail(n.in, &err);
    null_close(&n);
    return 0;
}
