/*
 * rows-tool SPEC SCHEMA TABLE [COLUMN...]: prints what tester/rows reads, for rows.py to judge: a line
 * with the columns, then a line per row, cells parted by tabs: `-` for NULL, else the kind's number, a
 * colon and the text in hexadecimal. Exit codes: 0 all read, 4 no such table, 1 another failure; the text
 * is on standard error.
 */
#include <stdio.h>

#include "tester/rows.h"

#define COLUMNS_MAX 16

static void put_hex(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", (unsigned char)data[i]);
}

static weir_status print(rows_reader *reader, const weir_table *table, weir_error *err)
{
    const char *const *columns;
    const weir_seen_cell *cells;
    size_t count = 0;
    weir_status status = rows_reader_begin(reader, table, &columns, &count, err);

    if (status)
        return status;
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i > 0 ? "\t" : "", columns[i]);
    putchar('\n');
    while ((status = rows_reader_next(reader, &cells, err)) == WEIR_ITEM) {
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                putchar('\t');
            if (cells[i].null) {
                putchar('-');
                continue;
            }
            printf("%d:", (int)cells[i].kind);
            put_hex(cells[i].text.data, cells[i].text.size);
        }
        putchar('\n');
    }
    return status;
}

int main(int argc, char **argv)
{
    weir_column columns[COLUMNS_MAX] = { { 0 } };
    weir_table table = { .columns = columns };
    rows_reader *reader = NULL;
    weir_error err = { 0 };
    weir_status status;

    if (argc < 4 || argc > 4 + COLUMNS_MAX)
        return 2;
    table.schema = argv[2];
    table.name = argv[3];
    for (int i = 4; i < argc; i++)
        columns[table.column_count++] = (weir_column){ .name = argv[i], .type = WEIR_STRING };
    status = rows_reader_open(argv[1], &reader, &err);
    if (status == WEIR_OK)
        status = print(reader, &table, &err);
    rows_reader_close(reader);
    if (status)
        fprintf(stderr, "%s\n", err.text);
    return status == WEIR_OK ? 0 : status == WEIR_NOT_FOUND ? ROWS_COMMAND_NO_TABLE : 1;
}
