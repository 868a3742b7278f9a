/*
 * engine/lines: a row of the fold becomes a line of a batch file. Its first cells are not known before:
 *
 *     soft delete   2026-11-22T14:13:09.123Z,false,[id,]cell,cell,…[,null,null]
 *                   └ synced                 └ deleted  └ text of the fold └ columns added after the row came
 *     history       synced,start,end,active,[id,]cell,…
 *     its files of earliest starts and of deletes    key,…,start    and    key,…,end
 *
 * When a version begins and ends is said by its number (R-ENG-10): versions of a key follow each other by a
 * millisecond, a version that is not the last, or was deleted, ends just before the next one would begin.
 * Pure. One thread at a time per maker.
 */
#ifndef WEIR_ENGINE_LINES_H
#define WEIR_ENGINE_LINES_H

#include "data/text.h"
#include "engine/fold.h"
#include "engine/request.h"

/* A time and its text: many rows in a row have the same one. */
typedef struct line_time {
    int64_t ms;
    size_t size; /* 0: none yet */
    char text[WEIR_TEXT_FIXED_MAX];
} line_time;

typedef struct line_maker {
    line_time synced;
    line_time start;
    line_time end;
} line_maker;

/* The bytes that a line takes beside the row's text, at most. */
size_t line_frame(const engine_request *request, const fold_row *row);
/* Writes what comes before the row's text, and after it with the line feed; returns the end. */
char *line_front(line_maker *maker, const engine_request *request, const fold_row *row, char *at);
char *line_back(const engine_request *request, const fold_row *row, char *at);
/* The whole line of a file of earliest starts or deletes. */
char *line_key(line_maker *maker, const engine_request *request, const fold_row *row, weir_batch_kind kind,
               char *at);
/* False: a delete row in whose place a version has come; nothing is written. */
bool line_is_written(const fold_row *row);

#endif
