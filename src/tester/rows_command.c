/*
 * tester/rows_command: rows that a partner's program prints; see rows.h for what it is told and what it
 * says.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "sys/clock.h"
#include "sys/memory_file.h"
#include "sys/process.h"
#include "tester/rows_internal.h"
#include "tester/rows_text.h"

#define READ_SIZE (256 * WEIR_KIB)
#define COMPLAINT_SIZE_MAX 1000 /* bytes of the end of standard error that are shown */

typedef struct command_store {
    char *command;
    weir_process *process;
    weir_memory_file *complaints; /* standard error */
    weir_buf input;
    size_t start; /* of what has not been used yet */
    rows_csv_scan scan;
    weir_buf scratch;
    uint64_t records;
    rows_show *show;
    bool json;
    bool ended; /* all has been read, and the program went well */
} command_store;

static void command_end(void *context)
{
    command_store *s = context;

    weir__process_close(s->process);
    weir__memory_file_close(s->complaints);
    s->process = NULL;
    s->complaints = NULL;
    s->input.size = 0;
    s->start = 0;
    s->scan = (rows_csv_scan){ 0 };
    s->records = 0;
    s->ended = false;
}

static void command_close(void *context)
{
    command_store *s = context;

    weir__buf_clear(&s->input);
    weir__buf_clear(&s->scratch);
    weir__free(s->command);
    weir__free(s);
}

static weir_status command_open(const char *place, void **store, weir_error *err)
{
    command_store *s = weir__calloc(1, sizeof *s);

    if (s != NULL)
        s->command = weir__copy_text(place, strlen(place));
    if (s == NULL || s->command == NULL) {
        weir__free(s);
        return weir__error_memory(err, "preparing a command");
    }
    weir__buf_init(&s->input, WEIR_BATCH_ROW_TEXT_MAX);
    weir__buf_init(&s->scratch, WEIR_BATCH_ROW_TEXT_MAX);
    *store = s;
    return WEIR_OK;
}

static void command_show(void *context, rows_show *show)
{
    command_store *s = context;

    s->show = show;
}

/* The shell takes standard error to the memory file, so that it does not get among the rows. */
static weir_status start(command_store *s, const weir_table *expected, weir_error *err)
{
    bool placed = strchr(s->command, '$') != NULL;
    int kept;
    weir_buf script;
    weir_status status = weir__memory_file_create("weir-dump-errors", &s->complaints, err);

    if (status)
        return status;
    kept = weir__memory_file_descriptor(s->complaints);
    weir__buf_init(&script, WEIR_MIB);
    if (!weir__buf_printf(&script, "exec 2>>/proc/self/fd/%d\n%s%s\n", kept, s->command,
                          placed ? "" : " \"$@\"") ||
        !weir__buf_put(&script, "", 1)) {
        status = weir__error_memory(err, "preparing a command");
    } else {
        const char *const argv[] = {
            "/bin/sh",      "-c", script.data, "weir-dump", expected->schema ? expected->schema : "",
            expected->name, NULL
        };
        const weir_process_options options = {
            .argv = argv, .kept = &kept, .kept_count = 1, .cpu = -1, .guarded = true
        };

        status = weir__process_spawn(&options, &s->process, err);
    }
    weir__buf_clear(&script);
    return status;
}

/* The end of what the program has written to standard error. */
static weir_bytes complaint(command_store *s)
{
    weir_bytes all;
    size_t skipped;

    if (weir__memory_file_bytes(s->complaints, &all, NULL) != WEIR_OK)
        return (weir_bytes){ "", 0 };
    while (all.size > 0 && all.data[all.size - 1] == '\n')
        all.size--;
    skipped = all.size > COMPLAINT_SIZE_MAX ? all.size - COMPLAINT_SIZE_MAX : 0;
    while (skipped < all.size && ((unsigned char)all.data[skipped] & 0xC0) == 0x80)
        skipped++; /* not in the middle of a character */
    return (weir_bytes){ all.data + skipped, all.size - skipped };
}

static void show(const command_store *s, weir_bytes said)
{
    char text[COMPLAINT_SIZE_MAX + 1];

    for (size_t i = 0; i < said.size; i++)
        text[i] = (unsigned char)said.data[i] < ' ' || said.data[i] == 0x7F ? ' ' : said.data[i];
    text[said.size] = '\0';
    if (said.size > 0)
        s->show(text);
}

/* The program has closed its output: how did it go? */
static weir_status finish(command_store *s, weir_error *err)
{
    weir_process_end end = { 0 };
    weir_bytes said;
    char how[WEIR_PROCESS_END_SIZE];

    if (weir__process_wait(s->process, weir__clock_ns() + INT64_C(1000000) * WEIR_DUMP_TIME_MS, &end) !=
        WEIR_OK)
        return weir__error(err, "the command has closed its output and does not end");
    s->ended = true;
    if (end.code == 0 && end.signal == 0)
        return WEIR_OK;
    if (end.signal == 0 && end.code == ROWS_COMMAND_NO_TABLE && s->records == 0)
        return weir__error_as(err, WEIR_NOT_FOUND, "the command says that there is no such table");
    said = complaint(s);
    weir__process_end_text(end, how);
    if (s->show != NULL) {
        show(s, said);
        return weir__error(err, "the command %s", how);
    }
    return weir__error(err, "the command %s%s%.*s", how, said.size > 0 ? ": " : "", (int)said.size,
                       said.data);
}

/* More input: WEIR_ITEM; WEIR_OK: there is no more. */
static weir_status read_more(command_store *s, weir_error *err)
{
    size_t got = 0;
    char *room;
    weir_status status;

    if (s->start > 0) {
        memmove(s->input.data, s->input.data + s->start, s->input.size - s->start);
        s->input.size -= s->start;
        s->start = 0;
    }
    room = weir__buf_reserve(&s->input, READ_SIZE);
    if (room == NULL)
        return weir__error(err, "the command: a row of more than %zu bytes, or out of memory",
                           s->input.size_max);
    status = weir__process_read(s->process, room, READ_SIZE,
                                weir__clock_ns() + INT64_C(1000000) * WEIR_DUMP_TIME_MS, &got);
    if (status == WEIR_FAILED)
        return weir__error(err, "the command has printed nothing for %d seconds", WEIR_DUMP_TIME_MS / 1000);
    if (status == WEIR_ITEM)
        s->input.size += got;
    return status;
}

/* The next record without its line feed: WEIR_ITEM; WEIR_OK: there is none. */
static weir_status next_record(command_store *s, char **record, size_t *size, weir_error *err)
{
    weir_status status = WEIR_ITEM;
    bool found;

    for (;;) {
        char *from = s->input.data + s->start;
        size_t there = s->input.size - s->start;

        if (s->json && there > s->scan.at) {
            char *feed = memchr(from + s->scan.at, '\n', there - s->scan.at);

            found = feed != NULL;
            s->scan.at = found ? (size_t)(feed - from) : there;
        } else {
            found = there > 0 && rows_csv_end(&s->scan, from, there);
        }
        if (found || (status == WEIR_OK && there > 0)) {
            *record = from;
            *size = s->scan.at;
            s->start += s->scan.at + found;
            s->scan = (rows_csv_scan){ 0 };
            s->records++;
            return WEIR_ITEM;
        }
        if (status == WEIR_OK)
            return WEIR_OK;
        status = read_more(s, err);
        if (status < 0)
            return status;
    }
}

static weir_status bad_record(const command_store *s, weir_error *err)
{
    weir__error_prefix(err, "the command: record %llu of its output", (unsigned long long)s->records);
    return WEIR_FAILED;
}

static weir_status begin_csv(command_store *s, rows_row *row, weir_error *err)
{
    size_t size = 0;
    char *record;

    if (next_record(s, &record, &size, err) != WEIR_ITEM)
        return WEIR_FAILED;
    return rows_csv_header(record, size, row, err) == WEIR_OK ? WEIR_OK : bad_record(s, err);
}

static weir_status command_begin(void *context, const weir_table *expected, rows_row *row, weir_error *err)
{
    command_store *s = context;
    weir_status status = start(s, expected, err);

    if (status)
        return status;
    status = read_more(s, err);
    if (status < 0)
        return status;
    if (status == WEIR_OK) {
        status = finish(s, err);
        if (status)
            return status;
    }
    s->json = s->input.size == 0 || s->input.data[0] == '{';
    if (!s->json)
        return begin_csv(s, row, err);
    status = WEIR_OK;
    for (size_t i = 0; status == WEIR_OK && i < expected->column_count; i++)
        status = rows_row_column(row, expected->columns[i].name, strlen(expected->columns[i].name), err);
    return status;
}

static bool is_blank(const char *record, size_t size)
{
    return size == 0 || (size == 1 && record[0] == '\r');
}

static weir_status command_next(void *context, rows_row *row, weir_error *err)
{
    command_store *s = context;
    size_t size = 0;
    char *record;
    weir_status status;

    if (s->ended)
        return WEIR_OK;
    do
        status = next_record(s, &record, &size, err);
    while (status == WEIR_ITEM && is_blank(record, size) && (s->json || row->count > 1));
    if (status == WEIR_OK)
        return finish(s, err);
    if (status != WEIR_ITEM)
        return status;
    status = s->json ? rows_json_row(record, size, row, &s->scratch, err)
                     : rows_csv_row(record, size, row, err);
    return status ? bad_record(s, err) : WEIR_ITEM;
}

const rows_kind rows_command = {
    .name = "command",
    .time_digits = 6,
    .place = "CMD",
    .open = command_open,
    .begin = command_begin,
    .next = command_next,
    .end = command_end,
    .show = command_show,
    .close = command_close,
};
