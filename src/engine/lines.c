/* engine/lines: see lines.h. */
#include "engine/lines.h"

#include <string.h>

#include "batch/csv.h"

#define END_OF_TIME "9999-12-31T23:59:59.999Z" /* of an active row (R-HIS-01) */

static char *append(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

static char *append_text(char *at, const char *text)
{
    return append(at, text, strlen(text));
}

static char *append_time(line_time *time, int64_t ms, char *at)
{
    if (time->ms != ms || time->size == 0) {
        int64_t rest = ms % 1000;
        weir_cell cell = { .type = WEIR_UTC_DATETIME };

        if (rest < 0)
            rest += 1000;
        cell.as.time = (weir_time){ .seconds = (ms - rest) / 1000, .nanos = (int32_t)rest * 1000000 };
        time->size = weir__text_format(&cell, time->text);
        time->ms = ms;
    }
    return append(at, time->text, time->size);
}

static const char *deleted_text(const fold_row *row, const engine_request *request)
{
    if (row->deleted == FOLD_UNTOUCHED)
        return request->markers.unmodified_string;
    return row->deleted == FOLD_DELETED ? "true" : "false";
}

static size_t missing(const engine_request *request, const fold_row *row)
{
    return request->header->column_count - request->front_count - row->cells;
}

bool line_is_written(const fold_row *row)
{
    return !row->history || row->kind != WEIR_BATCH_DELETE || row->deleted != FOLD_UNTOUCHED;
}

size_t line_frame(const engine_request *request, const fold_row *row)
{
    return 3 * (size_t)WEIR_TEXT_FIXED_MAX + (missing(request, row) + 1) * (WEIR_BATCH_MARKER_SIZE + 1) + 16;
}

char *line_front(line_maker *maker, const engine_request *request, const fold_row *row, char *at)
{
    at = append_time(&maker->synced, row->synced_ms, at);
    *at++ = ',';
    if (!row->history) {
        at = append_text(at, deleted_text(row, request));
        *at++ = ',';
        return at;
    }
    at = append_time(&maker->start, request->start_ms + row->number, at);
    *at++ = ',';
    if (row->deleted == FOLD_KEPT)
        return append_text(at, END_OF_TIME ",true,");
    at = append_time(&maker->end, request->start_ms + row->number, at); /* the next one's start less 1 ms */
    return append_text(at, ",false,");
}

char *line_back(const engine_request *request, const fold_row *row, char *at)
{
    const char *padding = row->kind == WEIR_BATCH_REPLACE ? request->markers.null_string
                                                          : request->markers.unmodified_string;
    size_t count = missing(request, row);

    for (size_t i = 0; i < count; i++) {
        *at++ = ',';
        at = append_text(at, padding);
    }
    *at++ = '\n';
    return at;
}

char *line_key(line_maker *maker, const engine_request *request, const fold_row *row, weir_batch_kind kind,
               char *at)
{
    const char *cell = row->text;
    size_t left = row->size;
    uint32_t number = 0;

    for (size_t i = 0; i < request->key_count; i++) {
        size_t size = weir__csv_cell_size(cell, left);

        for (; number < request->keys[i] && number + 1 < row->cells; number++) {
            cell += size + 1;
            left -= size + 1;
            size = weir__csv_cell_size(cell, left);
        }
        at = append(at, cell, size);
        *at++ = ',';
    }
    at = kind == WEIR_BATCH_DELETE ? append_time(&maker->end, request->start_ms + row->number - 1, at)
                                   : append_time(&maker->start, request->start_ms + row->number, at);
    *at++ = '\n';
    return at;
}
