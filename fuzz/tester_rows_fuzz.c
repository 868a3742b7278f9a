/* tester/rows_text: rows as a stranger's program prints them. The first byte chooses: JSON Lines or CSV. */
#include <stdlib.h>
#include <string.h>

#include "tester/rows_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_records(char *text, size_t size, bool json, rows_row *row, weir_buf *scratch)
{
    size_t start = 0;
    bool header = !json;

    while (start < size) {
        rows_csv_scan scan = { 0 };
        char *record = text + start;
        size_t length = size - start;
        weir_status status;

        if (rows_csv_end(&scan, record, length))
            length = scan.at;
        start += length + 1;
        if (header) {
            if (rows_csv_header(record, length, row, NULL) != WEIR_OK || rows_row_ready(row, NULL) != WEIR_OK)
                return;
            header = false;
            continue;
        }
        rows_row_clear(row);
        status = json ? rows_json_row(record, length, row, scratch, NULL)
                      : rows_csv_row(record, length, row, NULL);
        for (size_t i = 0; status == WEIR_OK && i < row->count; i++)
            if (!row->cells[i].null && row->offsets[i] + row->cells[i].text.size > row->text.size)
                abort(); /* a cell reaches beyond the row's text */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rows_row row = { .arena = weir__arena_new(1 << 20) };
    weir_buf scratch;
    char *text = malloc(size + 1);
    bool json = size > 0 && data[0] == '{';

    weir__buf_init(&row.text, 1 << 20);
    weir__buf_init(&scratch, 1 << 20);
    if (row.arena != NULL && text != NULL) {
        memcpy(text, data, size);
        if (!json ||
            (rows_row_column(&row, "a", 1, NULL) == WEIR_OK &&
             rows_row_column(&row, "b", 1, NULL) == WEIR_OK && rows_row_ready(&row, NULL) == WEIR_OK))
            read_records(text, size, json, &row, &scratch);
    }
    free(text);
    weir__buf_clear(&row.text);
    weir__buf_clear(&scratch);
    weir__arena_free(row.arena);
    return 0;
}
