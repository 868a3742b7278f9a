/* harness/report: weir_test_main: arguments, which tests, and what is said of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "data/json_tree.h"
#include "harness/runner.h"
#include "sdk/state.h"

#define TIMEOUT_MS_DEFAULT 300000

typedef enum report_form {
    FOR_PEOPLE,
    TAP,
    JSON
} report_form;

typedef struct wishes {
    report_form form;
    bool list;
    weir_test_options options;
    char **names; /* in argv */
    int name_count;
} wishes;

static int usage(FILE *out, const char *program)
{
    fprintf(out,
            "usage: %s [options] [test…]\n"
            "Runs the tests whose names contain one of the words; all when there is none.\n"
            "  --list             names only\n"
            "  --bless            write goldens anew (also WEIR_BLESS=1)\n"
            "  --folder FOLDER    goldens are there, not beside the test's source\n"
            "  --tap, --json      for programs\n"
            "  --no-fork          every test in this process, for a debugger\n"
            "  --timeout SECONDS  of one test; 300\n",
            program);
    return out == stdout ? 0 : 2;
}

/* 0: go on; else the exit code plus one. */
static int parse(int argc, char **argv, wishes *out)
{
    out->options.timeout_ms = TIMEOUT_MS_DEFAULT;
    out->names = argv + 1;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (strcmp(word, "--list") == 0)
            out->list = true;
        else if (strcmp(word, "--bless") == 0)
            weir__bless_all();
        else if (strcmp(word, "--tap") == 0)
            out->form = TAP;
        else if (strcmp(word, "--json") == 0)
            out->form = JSON;
        else if (strcmp(word, "--no-fork") == 0)
            out->options.no_fork = true;
        else if (strcmp(word, "--help") == 0)
            return 1 + usage(stdout, argv[0]);
        else if (strcmp(word, "--timeout") == 0 && i + 1 < argc && strtol(argv[i + 1], NULL, 10) > 0)
            out->options.timeout_ms = strtol(argv[++i], NULL, 10) * 1000;
        else if (strcmp(word, "--folder") == 0 && i + 1 < argc)
            weir__golden_set_folder(argv[++i]);
        else if (word[0] == '-')
            return 1 + usage(stderr, argv[0]);
        else
            out->names[out->name_count++] = argv[i];
    }
    return 0;
}

static bool is_wanted(const wishes *w, const weir_test *test)
{
    for (int i = 0; i < w->name_count; i++)
        if (strstr(test->name, w->names[i]) != NULL)
            return true;
    return w->name_count == 0;
}

/* The failures of a report, one by one. */
typedef struct failure {
    const char *file;
    const char *line;
    const char *text;
} failure;

static bool next_failure(const weir_test_report *report, size_t *at, failure *out)
{
    const char *data = report->failures.data;

    if (*at >= report->failures.size)
        return false;
    out->file = data + *at;
    out->line = out->file + strlen(out->file) + 1;
    out->text = out->line + strlen(out->line) + 1;
    *at = (size_t)(out->text + strlen(out->text) + 1 - data);
    return true;
}

/* A text whose lines after the first are moved in. */
static void print_text(const char *text, const char *margin)
{
    for (; *text != '\0'; text++) {
        putchar(*text);
        if (*text == '\n')
            fputs(margin, stdout);
    }
    putchar('\n');
}

static void say_for_people(const weir_test *test, const weir_test_report *report)
{
    size_t at = 0;
    failure f;

    printf("%-48s %s %8.1f ms\n", test->name, report->count == 0 ? "ok    " : "FAILED",
           (double)report->duration_ns / 1e6);
    while (next_failure(report, &at, &f)) {
        printf("  %s:%s: ", f.file, f.line);
        print_text(f.text, "    ");
    }
}

static void say_tap(size_t number, const weir_test *test, const weir_test_report *report)
{
    size_t at = 0;
    failure f;

    printf("%sok %zu - %s # %.1f ms\n", report->count == 0 ? "" : "not ", number, test->name,
           (double)report->duration_ns / 1e6);
    while (next_failure(report, &at, &f)) {
        printf("# %s:%s: ", f.file, f.line);
        print_text(f.text, "#   ");
    }
}

/* A text may hold what a connector said: what is no UTF-8 is repaired. */
static json_t *as_json(const char *text)
{
    size_t size = strlen(text);
    char *clean = weir__test_memory(weir__malloc(3 * size + 1));
    json_t *made = json_stringn(clean, weir__utf8_scrub(text, size, clean));

    weir__free(clean);
    return made;
}

static void say_json(const weir_test *test, const weir_test_report *report)
{
    json_t *list = json_array();
    json_t *all;
    weir_buf text;
    size_t at = 0;
    failure f;

    while (next_failure(report, &at, &f)) {
        json_t *entry = json_pack("{s:s, s:I}", "file", f.file, "line", (json_int_t)strtol(f.line, NULL, 10));

        json_object_set_new(entry, "text", as_json(f.text));
        json_array_append_new(list, entry);
    }
    all = json_pack("{s:s, s:s, s:I, s:s, s:f, s:o}", "test", test->name, "file", test->file, "line",
                    (json_int_t)test->line, "result", report->count == 0 ? "passed" : "failed", "ms",
                    (double)report->duration_ns / 1e6, "failures", list);
    weir__buf_init(&text, SIZE_MAX);
    if (!weir__json_put(&text, all, JSON_COMPACT | JSON_REAL_PRECISION(6)))
        (void)weir__test_memory(NULL);
    printf("%.*s\n", (int)text.size, text.data);
    weir__buf_clear(&text);
    json_decref(all);
}

static size_t count_wanted(const wishes *w)
{
    size_t count = 0;

    for (const weir_test *test = weir__tests(); test != NULL; test = test->next)
        count += is_wanted(w, test);
    return count;
}

static int run_all(const wishes *w)
{
    size_t count = count_wanted(w);
    size_t number = 0;
    size_t failed = 0;

    if (count == 0) {
        fputs("there is no such test; --list shows all\n", stderr);
        return 2;
    }
    if (w->form == TAP)
        printf("TAP version 13\n1..%zu\n", count);
    for (const weir_test *test = weir__tests(); test != NULL; test = test->next) {
        weir_test_report report;

        if (!is_wanted(w, test))
            continue;
        weir__test_run(test, &w->options, &report);
        failed += report.count > 0;
        if (w->form == FOR_PEOPLE)
            say_for_people(test, &report);
        else if (w->form == TAP)
            say_tap(++number, test, &report);
        else
            say_json(test, &report);
        fflush(stdout);
        weir__buf_clear(&report.failures);
    }
    if (w->form == FOR_PEOPLE)
        printf("%zu %s: %zu passed, %zu failed\n", count, count == 1 ? "test" : "tests", count - failed,
               failed);
    return failed == 0 ? 0 : 1;
}

int weir_test_main(int argc, char **argv)
{
    wishes w = { 0 };
    int code = parse(argc, argv, &w);

    if (code != 0)
        return code - 1;
    weir__state_setup();
    if (!w.list)
        return run_all(&w);
    for (const weir_test *test = weir__tests(); test != NULL; test = test->next)
        if (is_wanted(&w, test))
            puts(test->name);
    return 0;
}
