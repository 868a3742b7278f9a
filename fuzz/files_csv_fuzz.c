/*
 * fuzz/files_csv: the scanner that cuts a CSV file into rows (connectors/source-files/csv_text).
 *
 * Attacked: nothing behind the text and its padding is read; however the text arrives in pieces, the rows,
 * cells and the end are those that a reader of one byte at a time finds.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../connectors/source-files/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one of the two readers has seen: cells as `0` for NULL or `1` and the text, `R` for a row, the end. */
typedef struct notes {
    char *text;
    size_t size;
} notes;

static void note(notes *n, const void *data, size_t size)
{
    memcpy(n->text + n->size, data, size);
    n->size += size;
}

static void note_cell(notes *n, bool is_null, const char *text, size_t size)
{
    note(n, is_null ? "0" : "1", 1);
    note(n, text, size);
    note(n, ",", 1);
}

static void note_end(notes *n, csv_cut end)
{
    char name = (char)('a' + end);

    note(n, &name, 1);
}

/* One byte at a time. */
static void read_slowly(const char *text, size_t size, char delimiter, notes *out)
{
    char *cell = malloc(size + 1);
    size_t at = 0;

    assert(cell != NULL);
    for (;;) {
        while (at < size && (text[at] == '\n' || text[at] == '\r'))
            at++;
        if (at == size)
            break;
        for (bool more = true; more; at++) {
            bool quoted = at < size && text[at] == '"';
            size_t count = 0;

            for (at += quoted; at < size; at++) {
                if (quoted && text[at] == '"' && (at + 1 == size || text[++at] != '"'))
                    break;
                if (!quoted && (text[at] == delimiter || text[at] == '\n' || text[at] == '\r'))
                    break;
                if (!quoted && text[at] == '"') {
                    note_end(out, CSV_QUOTE);
                    goto out;
                }
                cell[count++] = text[at];
            }
            if (quoted && at == size) {
                note_end(out, CSV_OPEN);
                goto out;
            }
            if (quoted && text[at] == '"') /* the last byte: nothing follows it */
                at = size;
            if (quoted && at < size && text[at] != delimiter && text[at] != '\n' && text[at] != '\r') {
                note_end(out, CSV_QUOTE);
                goto out;
            }
            note_cell(out, !quoted && count == 0, cell, count);
            more = at < size && text[at] == delimiter;
            if (!more)
                break;
        }
        note(out, "R", 1);
    }
    note_end(out, CSV_END);
out:
    free(cell);
}

/* As rows_csv.c does, in pieces; cells of a row that is not whole are not seen. */
static void read_in_pieces(const char *text, size_t size, char delimiter, size_t piece, notes *out)
{
    csv_text t = { .delimiter = delimiter };
    csv_cut found;

    t.fields = calloc(COLUMNS_MAX + 1, sizeof *t.fields);
    t.escaped = calloc(COLUMNS_MAX + 1, sizeof *t.escaped);
    t.buffer = calloc(1, CSV_PADDING);
    assert(t.fields != NULL && t.escaped != NULL && t.buffer != NULL);
    while ((found = csv_text_row(&t)) == CSV_ROW || found == CSV_MORE) {
        for (size_t i = 0; found == CSV_ROW && i < t.count; i++)
            note_cell(out, t.fields[i].kind == FIELD_NULL, t.fields[i].text.data, t.fields[i].text.size);
        if (found == CSV_ROW) {
            note(out, "R", 1);
        } else {
            size_t got = piece < size ? piece : size;
            char *grown = malloc(t.size + got + CSV_PADDING); /* to the byte, for the sanitizer */

            assert(grown != NULL && !t.ended);
            memcpy(grown, t.buffer, t.size);
            memcpy(grown + t.size, text, got);
            memset(grown + t.size + got, 0, CSV_PADDING);
            free(t.buffer);
            t.buffer = grown;
            t.size += got;
            t.ended = got == 0;
            text += got;
            size -= got;
        }
    }
    note_end(out, found);
    free(t.fields);
    free(t.escaped);
    free(t.buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    notes slow = { 0 };
    notes quick = { 0 };
    size_t room = size * 4 + 16;

    if (size < 2 || size > COLUMNS_MAX)
        return 0;
    slow.text = malloc(room);
    quick.text = malloc(room);
    assert(slow.text != NULL && quick.text != NULL);
    read_slowly((const char *)data + 1, size - 1, data[0] & 1 ? ';' : ',', &slow);
    read_in_pieces((const char *)data + 1, size - 1, data[0] & 1 ? ';' : ',', 1 + data[0] / 2, &quick);
    assert(slow.text[slow.size - 1] == quick.text[quick.size - 1]);
    /* The slow one has also seen the cells of a row that broke. */
    if (slow.text[slow.size - 1] == 'a' + CSV_END)
        assert(slow.size == quick.size);
    assert(quick.size <= slow.size && memcmp(slow.text, quick.text, quick.size - 1) == 0);
    free(slow.text);
    free(quick.text);
    return 0;
}
