/* source-files: a CSV file as text in a buffer. Every thread may read a file of its own. */
#include <stdlib.h>

#include "files.h"

#define READ_SIZE ((size_t)1 << 19)
#define ROW_SIZE_MAX ((size_t)256 << 20) /* what a row takes in the file */

bool csv_file_open(csv_file *f, const char *path, char delimiter)
{
    *f = (csv_file){ .capacity = READ_SIZE, .text.delimiter = delimiter };
    f->input = fopen(path, "rbe");
    if (f->input != NULL)
        setvbuf(f->input, NULL, _IONBF, 0);
    return f->input != NULL;
}

void csv_file_close(csv_file *f)
{
    free(f->text.fields);
    free(f->text.escaped);
    free(f->text.buffer);
    if (f->input != NULL)
        fclose(f->input);
    *f = (csv_file){ 0 };
}

bool csv_file_seek(csv_file *f, int64_t to)
{
    f->text.start = f->text.size = 0;
    f->text.ended = false;
    f->read_to = to;
    return fseeko(f->input, (off_t)to, SEEK_SET) == 0;
}

static csv_fault make_room(csv_file *f)
{
    csv_text *t = &f->text;
    size_t wanted = t->buffer == NULL ? f->capacity : f->capacity * 2;
    char *grown;

    if (t->size >= ROW_SIZE_MAX)
        return CSV_TOO_LONG;
    if (t->fields == NULL)
        t->fields = calloc(COLUMNS_MAX + 1, sizeof *t->fields);
    if (t->escaped == NULL)
        t->escaped = calloc(COLUMNS_MAX + 1, sizeof *t->escaped);
    grown = realloc(t->buffer, wanted + CSV_PADDING);
    if (grown != NULL)
        t->buffer = grown;
    if (t->fields == NULL || t->escaped == NULL || grown == NULL)
        return CSV_MEMORY;
    f->capacity = wanted;
    return CSV_FINE;
}

csv_fault csv_file_more(csv_file *f)
{
    csv_text *t = &f->text;
    csv_fault fault = CSV_FINE;
    size_t got;

    if (t->start > 0)
        memmove(t->buffer, t->buffer + t->start, t->size - t->start);
    t->size -= t->start;
    t->start = 0;
    if (t->buffer == NULL || t->size == f->capacity)
        fault = make_room(f);
    if (fault != CSV_FINE)
        return fault;
    got = fread(t->buffer + t->size, 1, f->capacity - t->size, f->input);
    if (got == 0 && ferror(f->input))
        return CSV_READ;
    t->size += got;
    f->read_to += (int64_t)got;
    t->ended = got == 0;
    memset(t->buffer + t->size, 0, CSV_PADDING);
    return CSV_FINE;
}

bool csv_file_skip_ends(csv_file *f)
{
    csv_text *t = &f->text;

    while (t->start < t->size && (t->buffer[t->start] == '\n' || t->buffer[t->start] == '\r'))
        t->start++;
    return t->start < t->size;
}

size_t csv_file_broken(const csv_file *f)
{
    const csv_text *t = &f->text;
    const char *from = t->fields[0].text.data;
    size_t i = 0;

    /* All at once first: quotes and delimiters are ASCII. It may fail where doubled quotes became one. */
    if (text_is_utf8(from, (size_t)(t->buffer + t->start - from)))
        return t->count;
    while (i < t->count && text_is_utf8(t->fields[i].text.data, t->fields[i].text.size))
        i++;
    return i;
}

void csv_file_fill(csv_file *f, size_t columns, weir_bytes null_text)
{
    csv_text *t = &f->text;

    for (size_t i = t->count; i < columns; i++)
        t->fields[i].kind = FIELD_NULL;
    for (size_t i = 0; null_text.size > 0 && i < t->count; i++)
        if (t->fields[i].text.size == null_text.size &&
            memcmp(t->fields[i].text.data, null_text.data, null_text.size) == 0)
            t->fields[i].kind = FIELD_NULL;
}
