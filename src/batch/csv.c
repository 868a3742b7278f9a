/* batch/csv: writing. Values are formatted straight into the output; only unknown text is looked at. */
#include "batch/csv.h"

#include "base/limits.h"
#include "data/text.h"

#define BARE_SIZE_MAX 24   /* R-BAT-07: longer cells are quoted */
#define BARE_BYTE_MIN 0x2D /* and those with a byte below this one */
#define EVERY_BYTE UINT64_C(0x0101010101010101)
#define SMALL_TEXT 4096 /* up to here room is reserved for the worst case instead of counting quotes */

/* Nonzero when one of the eight bytes is below BARE_BYTE_MIN. */
static uint64_t low_bytes(uint64_t word)
{
    return (word - EVERY_BYTE * BARE_BYTE_MIN) & ~word & EVERY_BYTE * 0x80;
}

static uint64_t load(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* `size` is at most BARE_SIZE_MAX. Words overlap, so that nothing beyond the text is read. */
static bool has_low_byte(const char *text, size_t size)
{
    uint64_t found;

    if (size >= 8) {
        found = low_bytes(load(text)) | low_bytes(load(text + size - 8));
        return (size > 16 ? found | low_bytes(load(text + 8)) : found) != 0;
    }
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < BARE_BYTE_MIN)
            return true;
    return false;
}

static size_t count_quotes(const char *text, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += text[i] == '"';
    return count;
}

/* Copies with quotes doubled; `quote` is the first one, or NULL. Returns the end. */
static char *copy_doubled(char *out, const char *text, size_t size, const char *quote)
{
    while (quote != NULL) {
        size_t before = (size_t)(quote - text) + 1;

        memcpy(out, text, before);
        out += before;
        *out++ = '"';
        text += before;
        size -= before;
        quote = size > 0 ? memchr(text, '"', size) : NULL;
    }
    memcpy(out, text, size);
    return out + size;
}

bool weir__csv_put_text(weir_buf *out, const char *text, size_t size)
{
    const char *quote;
    size_t room = size * 2 + 2;
    char *at;

    if (size <= BARE_SIZE_MAX && !has_low_byte(text, size))
        return weir__buf_put(out, text, size);
    quote = memchr(text, '"', size);
    if (size > SMALL_TEXT)
        room = size + 2 + (quote ? count_quotes(text, size) : 0);
    at = weir__buf_reserve(out, room);
    if (at == NULL)
        return false;
    *at = '"';
    at = copy_doubled(at + 1, text, size, quote);
    *at++ = '"';
    out->size = (size_t)(at - out->data);
    return true;
}

/* Makes a cell of a text without quotes at `at`, where there is room for two more; returns its size. */
static size_t quote_in_place(char *at, size_t size, bool low)
{
    if (size <= BARE_SIZE_MAX && !low)
        return size;
    memmove(at + 1, at, size);
    at[0] = '"';
    at[size + 1] = '"';
    return size + 2;
}

static weir_status no_room(weir_error *err)
{
    return weir__error(err, "format a row: out of memory, or the row is larger than %zu bytes",
                       WEIR_ROW_SIZE_MAX);
}

static weir_status put_value(weir_buf *out, const weir_cell *cell, weir_error *err)
{
    weir_bytes bytes = cell->as.bytes;
    char *at;
    size_t size;

    if (cell->type == WEIR_STRING || cell->type == WEIR_JSON || cell->type == WEIR_XML)
        return bytes.size == 0 || weir__csv_put_text(out, bytes.data, bytes.size) ? WEIR_OK : no_room(err);
    at = weir__buf_reserve(out, weir__text_bound(cell) + 2);
    if (at == NULL)
        return no_room(err);
    size = weir__text_format(cell, at);
    if (size == WEIR_TEXT_NONE)
        return weir__text_format_error(cell, err);
    /* Numbers, times and booleans have no byte below '-'; base64 has '+'. */
    out->size += quote_in_place(at, size,
                                cell->type == WEIR_BINARY && size <= BARE_SIZE_MAX && has_low_byte(at, size));
    return WEIR_OK;
}

weir_status weir__csv_put_cell(weir_buf *out, const weir_file_params *params, const weir_cell *cell,
                               weir_error *err)
{
    weir_bytes marker;

    if (cell->presence == WEIR_VALUE)
        return put_value(out, cell, err);
    marker = cell->presence == WEIR_NULL ? params->null_string : params->unmodified_string;
    return weir__buf_put(out, marker.data, marker.size) ? WEIR_OK
                                                        : no_room(err); /* bare whatever it is (R-BAT-07) */
}

static bool put_byte(weir_buf *out, char byte)
{
    char *at = weir__buf_reserve(out, 1);

    if (at == NULL)
        return false;
    *at = byte;
    out->size++;
    return true;
}

weir_status weir__csv_put_row(weir_buf *out, const weir_file_params *params, const weir_cell *cells,
                              size_t count, weir_error *err)
{
    size_t start = out->size;
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        if (i > 0 && !put_byte(out, ','))
            status = no_room(err);
        else
            status = weir__csv_put_cell(out, params, &cells[i], err);
    }
    /* An empty line is skipped by many readers, so the only cell of a row is never nothing. */
    if (status == WEIR_OK && count == 1 && out->size == start && !weir__buf_put(out, "\"\"", 2))
        status = no_room(err);
    if (status == WEIR_OK && !put_byte(out, '\n'))
        status = no_room(err);
    if (status != WEIR_OK)
        out->size = start;
    return status;
}

weir_status weir__csv_put_header(weir_buf *out, const weir_table *table, weir_error *err)
{
    size_t start = out->size;
    bool room = true;

    for (size_t i = 0; i < table->column_count && room; i++) {
        const char *name = table->columns[i].name;

        room = (i == 0 || put_byte(out, ',')) && weir__csv_put_text(out, name, strlen(name));
    }
    if (room && put_byte(out, '\n'))
        return WEIR_OK;
    out->size = start;
    return weir__error_memory(err, "formatting a header");
}

size_t weir__csv_cell_size(const char *row, size_t size)
{
    size_t at = 0;

    if (size == 0 || row[0] != '"') {
        while (at < size && row[at] != ',' && row[at] != '\n')
            at++;
        return at;
    }
    do { /* each round ends behind a quote; a doubled one begins the next round */
        const char *quote = memchr(row + at + 1, '"', size - at - 1);

        if (quote == NULL)
            return size;
        at = (size_t)(quote - row) + 1;
    } while (at < size && row[at] == '"');
    return at;
}
