/* harness/runner: one test in a child of its own, or here; failures travel as frames through the pipe. */
#include "harness/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/child.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define FAILURES_SIZE_MAX (16 * 1024 * 1024)
#define FAILURE_TEXT_MAX (256 * 1024)
#define NS_PER_MS INT64_C(1000000)

/* Present under AddressSanitizer only: looks for leaked memory without ending the process. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

typedef struct at_end {
    struct at_end *next;
    void (*function)(void *context);
    void *context;
} at_end;

/* The running test, in the process that runs it. */
typedef struct running {
    weir_test_report *report; /* NULL: outside of a test */
    unsigned failures;
    char folder[256];
    bool folder_made;
    at_end *ends;
    char **paths; /* handed out by weir_test_path */
    size_t path_count;
} running;

static running now;
static weir_place place = { "", 0 };
static weir_test *registered;
static int blessing = -1;

void weir__test_no_memory(void)
{
    fputs("out of memory in a test\n", stderr);
    abort();
}

void *weir__test_memory(void *memory)
{
    if (memory == NULL)
        weir__test_no_memory();
    return memory;
}

/* --- registration --- */

static bool comes_before(const weir_test *a, const weir_test *b)
{
    int order = strcmp(a->file, b->file);

    return order != 0 ? order < 0 : a->line < b->line;
}

void weir__test_register(weir_test *test)
{
    weir_test **at = &registered;

    while (*at != NULL && !comes_before(test, *at))
        at = &(*at)->next;
    test->next = *at;
    *at = test;
}

weir_test *weir__tests(void)
{
    return registered;
}

bool weir__blessing(void)
{
    if (blessing < 0) {
        const char *wish = getenv("WEIR_BLESS");

        blessing = wish != NULL && strcmp(wish, "1") == 0;
    }
    return blessing == 1;
}

void weir__bless_all(void)
{
    blessing = 1;
}

/* --- failures --- */

void weir__at(const char *file, int line)
{
    place = (weir_place){ file, line };
}

weir_place weir__here(void)
{
    return place;
}

static void record(weir_place at, const char *text)
{
    weir_buf *out;
    char line[16];

    now.failures++;
    if (now.report == NULL) {
        fprintf(stderr, "%s:%d: %s\n", at.file, at.line, text);
        return;
    }
    out = &now.report->failures;
    now.report->count++;
    snprintf(line, sizeof line, "%d", at.line);
    if (out->size + strlen(at.file) + strlen(text) + 64 > FAILURES_SIZE_MAX)
        return; /* counted, but there is enough to read */
    if (!weir__buf_put(out, at.file, strlen(at.file) + 1) || !weir__buf_put(out, line, strlen(line) + 1) ||
        !weir__buf_put(out, text, strlen(text) + 1))
        weir__test_no_memory();
}

static void record_va(weir_place at, const char *format, va_list args)
{
    weir_buf text;
    va_list again;
    int length;
    char *room;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        length = 0;
    if (length > FAILURE_TEXT_MAX)
        length = FAILURE_TEXT_MAX;
    weir__buf_init(&text, FAILURE_TEXT_MAX + 1);
    room = weir__test_memory(weir__buf_reserve(&text, (size_t)length + 1));
    vsnprintf(room, (size_t)length + 1, format, args);
    record(at, room);
    weir__buf_clear(&text);
}

void weir_test_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record_va((weir_place){ file, line }, format, args);
    va_end(args);
}

void weir__fail_here(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record_va(place, format, args);
    va_end(args);
}

void weir__fail_at(weir_place at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    record_va(at, format, args);
    va_end(args);
}

unsigned weir_test_failures(void)
{
    return now.failures;
}

weir_test_mark weir__test_mark(void)
{
    return now.report != NULL ? (weir_test_mark){ now.report->failures.size, now.failures }
                              : (weir_test_mark){ 0, now.failures };
}

void weir__test_take_back(const weir_test_mark *mark, char *out, size_t size)
{
    weir_buf *failures = &now.report->failures;
    size_t length = failures->size - mark->size;

    length = length < size - 1 ? length : size - 1;
    memcpy(out, failures->data + mark->size, length);
    for (size_t i = 0; i < length; i++)
        out[i] = out[i] ? out[i] : ' ';
    out[length] = '\0';
    failures->size = mark->size;
    now.report->count -= now.failures - mark->count;
    now.failures = mark->count;
}

/* --- what a test has while it runs --- */

void weir_test_at_end(void (*function)(void *context), void *context)
{
    at_end *entry = weir__test_memory(weir__calloc(1, sizeof *entry));

    *entry = (at_end){ now.ends, function, context };
    now.ends = entry;
}

static void run_ends(void)
{
    while (now.ends != NULL) {
        at_end *entry = now.ends;

        now.ends = entry->next;
        entry->function(entry->context);
        weir__free(entry);
    }
    for (size_t i = 0; i < now.path_count; i++)
        weir__free(now.paths[i]);
    weir__free(now.paths);
    now.paths = NULL;
    now.path_count = 0;
}

static void name_folder(void)
{
    const char *base = getenv("TMPDIR");
    uint64_t random = weir__entropy_seed();

    snprintf(now.folder, sizeof now.folder, "%.200s/weir-test-%016" PRIx64,
             base != NULL && base[0] != '\0' ? base : "/tmp", random);
}

const char *weir_test_path(const char *name)
{
    size_t size;
    char *path;
    weir_error err;

    if (now.folder[0] == '\0')
        name_folder();
    if (!now.folder_made && weir__folder_create(now.folder, &err) != WEIR_OK)
        weir__fail_here("the test's folder: %s", err.text);
    now.folder_made = true;
    size = strlen(now.folder) + strlen(name) + 2;
    path = weir__test_memory(weir__malloc(size));
    snprintf(path, size, "%s/%s", now.folder, name);
    now.paths = weir__test_memory(weir__realloc_array(now.paths, now.path_count + 1, sizeof *now.paths));
    now.paths[now.path_count++] = path;
    return path;
}

/* --- leaks --- */

/* What the process holds: compared before and after a test. */
typedef struct holdings {
    int64_t allocations;
    bool open[WEIR_CHILD_DESCRIPTOR_MAX];
} holdings;

static void take_stock(holdings *out)
{
    char text[8];

    out->allocations = weir__alloc_live();
    for (int fd = 0; fd < WEIR_CHILD_DESCRIPTOR_MAX; fd++)
        out->open[fd] = weir__child_descriptor(fd, text, sizeof text);
}

static void look_for_leaks(const weir_test *test, const holdings *before)
{
    weir_place at = { test->file, test->line };
    int64_t live = weir__alloc_live();
    char text[256];

    if (live > before->allocations)
        weir__fail_at(at, "the test left %" PRId64 " blocks of Weir's memory behind",
                      live - before->allocations);
    for (int fd = 0; fd < WEIR_CHILD_DESCRIPTOR_MAX; fd++)
        if (!before->open[fd] && weir__child_descriptor(fd, text, sizeof text))
            weir__fail_at(at, "the test left descriptor %d open: %s", fd, text);
    if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
        weir__fail_at(at, "the test leaked memory; AddressSanitizer's report is on standard error");
}

/* --- running --- */

static void run_here(const weir_test *test, weir_test_report *report)
{
    int64_t start = weir__clock_ns();
    holdings before;

    now.report = report;
    now.failures = 0;
    place = (weir_place){ test->file, test->line };
    weir__buf_reserve(&report->failures, 4096); /* not to be counted as the test's */
    take_stock(&before);
    test->run();
    run_ends();
    report->duration_ns = weir__clock_ns() - start;
    look_for_leaks(test, &before);
    now.report = NULL;
    fflush(NULL);
}

/* What comes back through the pipe: this, then the failures. */
typedef struct frame {
    unsigned count;
    int64_t duration_ns;
    size_t size;
} frame;

static int run_in_child(void *context, int fd)
{
    const weir_test *test = context;
    weir_test_report report = { 0 };
    frame head;

    weir__buf_init(&report.failures, FAILURES_SIZE_MAX);
    run_here(test, &report);
    head = (frame){ report.count, report.duration_ns, report.failures.size };
    if (!weir__child_write(fd, &head, sizeof head) ||
        !weir__child_write(fd, report.failures.data, report.failures.size))
        return 2;
    return 0;
}

/* Reads all that the child says; false when it was not a whole report. */
static bool read_report(weir_child *child, int64_t deadline_ns, weir_test_report *report, bool *late)
{
    weir_buf got;
    frame head;
    weir_status status = WEIR_ITEM;
    bool whole = false;

    weir__buf_init(&got, FAILURES_SIZE_MAX + sizeof head);
    while (status == WEIR_ITEM) {
        char *room = weir__test_memory(weir__buf_reserve(&got, 4096));
        size_t size = 0;

        status = weir__child_read(child, room, 4096, deadline_ns, &size);
        got.size += size;
    }
    *late = status != WEIR_OK;
    if (got.size >= sizeof head) {
        memcpy(&head, got.data, sizeof head);
        if (got.size - sizeof head == head.size) {
            whole = true;
            report->count = head.count;
            report->duration_ns = head.duration_ns;
            if (!weir__buf_put(&report->failures, got.data + sizeof head, head.size))
                weir__test_no_memory();
        }
    }
    weir__buf_clear(&got);
    return whole;
}

static void run_apart(const weir_test *test, const weir_test_options *options, weir_test_report *report)
{
    int64_t start = weir__clock_ns();
    int64_t deadline = start + options->timeout_ms * NS_PER_MS;
    weir_place at = { test->file, test->line };
    char how[WEIR_PROCESS_END_SIZE];
    weir_child *child = NULL;
    weir_process_end end;
    weir_error err;
    bool late = false;

    fflush(NULL);
    now.report = report;
    if (weir__child_start(run_in_child, (void *)(uintptr_t)test, &child, &err) != WEIR_OK) {
        weir__fail_at(at, "%s", err.text);
    } else if (!read_report(child, deadline, report, &late)) {
        weir__child_wait(child, late ? 0 : deadline, &end);
        weir__process_end_text(end, how);
        report->duration_ns = weir__clock_ns() - start;
        if (late)
            weir__fail_at(at, "the test did not end within %" PRId64 " s", options->timeout_ms / 1000);
        else
            weir__fail_at(at, "the test ended its process, which %s", how);
    }
    weir__child_close(child);
    now.report = NULL;
}

void weir__test_run(const weir_test *test, const weir_test_options *options, weir_test_report *report)
{
    weir_status status;

    *report = (weir_test_report){ 0 };
    weir__buf_init(&report->failures, FAILURES_SIZE_MAX);
    name_folder(); /* here, so that it goes even when the test's process does not come back */
    if (options->no_fork)
        run_here(test, report);
    else
        run_apart(test, options, report);
    status = weir__folder_remove(now.folder, NULL);
    (void)status; /* what is left in a temporary folder harms nobody */
    now.folder_made = false;
}
