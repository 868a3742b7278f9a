/* tester/tester: see tester.h. The report is a jansson object that grows as the run goes. */
#include "tester/tester.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "data/json_tree.h"
#include "sys/clock.h"
#include "sys/console.h"

#define LINE_SIZE ((size_t)8192)
#define ERRORS 2 /* standard error */

struct tester {
    tester_options options;
    pthread_mutex_t lock; /* of the console and the report */
    json_t *report;
    size_t faults;
    size_t warnings;
    int64_t begun_ns;
    tester_verdict verdict; /* whose failure an error is */
    bool error_shown;
    bool incomplete; /* memory ran out for a part of the report */
};

tester *tester_new(const tester_options *options)
{
    tester *t = weir__calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->options = *options;
    t->begun_ns = weir__clock_ns();
    t->report = json_object();
    if (t->report == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
        json_decref(t->report);
        weir__free(t);
        return NULL;
    }
    return t;
}

void tester_free(tester *t)
{
    if (t == NULL)
        return;
    json_decref(t->report);
    pthread_mutex_destroy(&t->lock);
    weir__free(t);
}

const tester_options *tester_options_of(const tester *t)
{
    return &t->options;
}

size_t tester_faults(const tester *t)
{
    return t->faults;
}

size_t tester_warnings(const tester *t)
{
    return t->warnings;
}

/* --- console --- */

/* Formats a text into `line`: one line, whole characters. Returns its size. */
static size_t format_line(char line[LINE_SIZE], const char *format, va_list args)
{
    int length = vsnprintf(line, LINE_SIZE, format, args);
    size_t size = length < 0 ? 0 : (size_t)length < LINE_SIZE ? (size_t)length : LINE_SIZE - 1;

    size = weir__utf8_prefix(line, size);
    for (size_t i = 0; i < size; i++)
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    line[size] = '\0';
    return size;
}

static void put_line(tester *t, const char *level, const char *color, const char *text)
{
    char out[LINE_SIZE + 64];
    bool colors = color[0] != '\0' && weir__console_is_terminal(ERRORS);
    int length = snprintf(out, sizeof out, "%s%-7s%s %s\n", colors ? color : "", level,
                          colors ? "\x1b[0m" : "", text);

    pthread_mutex_lock(&t->lock);
    if (length > 0)
        (void)weir__console_write(ERRORS, out, (size_t)length);
    pthread_mutex_unlock(&t->lock);
}

void tester_say(tester *t, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, format);
    (void)format_line(line, format, args);
    va_end(args);
    put_line(t, "INFO", "", line);
}

void tester_warn(tester *t, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, format);
    (void)format_line(line, format, args);
    va_end(args);
    put_line(t, "WARNING", "\x1b[33m", line);
    tester_list(t, "warnings", line);
    t->warnings++;
}

void tester_fault(tester *t, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, format);
    (void)format_line(line, format, args);
    va_end(args);
    put_line(t, "SEVERE", "\x1b[31m", line);
    tester_list(t, "faults", line);
    t->faults++;
}

void tester_show(tester *t, weir_bytes text)
{
    pthread_mutex_lock(&t->lock);
    (void)weir__console_write(ERRORS, text.data, text.size);
    if (text.size > 0 && text.data[text.size - 1] != '\n')
        (void)weir__console_write(ERRORS, "\n", 1);
    pthread_mutex_unlock(&t->lock);
}

/* --- report; it is for information, so what memory does not allow is left out --- */

/* The object that holds the last part of the dotted `name`, made when new; *leaf is that part. */
static json_t *holder(json_t *root, const char *name, const char **leaf)
{
    const char *dot;

    while (root != NULL && (dot = strchr(name, '.')) != NULL) {
        json_t *next;
        char part[64];
        size_t size = (size_t)(dot - name);

        if (size >= sizeof part)
            return NULL;
        memcpy(part, name, size);
        part[size] = '\0';
        next = json_object_get(root, part);
        if (next == NULL) {
            next = json_object();
            if (json_object_set_new(root, part, next) != 0)
                return NULL;
        }
        root = next;
        name = dot + 1;
    }
    *leaf = name;
    return root;
}

/* Consumes `value`, which may be NULL. */
static bool put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

void tester_count(tester *t, const char *name, uint64_t more)
{
    const char *leaf = name;
    json_t *to;

    pthread_mutex_lock(&t->lock);
    to = holder(t->report, name, &leaf);
    if (!put(to, leaf, json_integer(json_integer_value(json_object_get(to, leaf)) + (json_int_t)more)))
        t->incomplete = true;
    pthread_mutex_unlock(&t->lock);
}

/* A text as a JSON string, whatever its bytes. */
static json_t *text_value(const char *text)
{
    json_t *value = json_string(text);

    return value != NULL ? value : json_string("(no UTF-8)");
}

void tester_note(tester *t, const char *name, const char *value)
{
    const char *leaf = name;
    json_t *to;

    pthread_mutex_lock(&t->lock);
    to = holder(t->report, name, &leaf);
    if (!put(to, leaf, text_value(value)))
        t->incomplete = true;
    pthread_mutex_unlock(&t->lock);
}

/* Consumes `value`, which may be NULL. */
static void append(tester *t, const char *name, json_t *value)
{
    const char *leaf = name;
    json_t *to;
    json_t *list;

    pthread_mutex_lock(&t->lock);
    to = holder(t->report, name, &leaf);
    list = to != NULL ? json_object_get(to, leaf) : NULL;
    if (to != NULL && list == NULL) {
        list = json_array();
        if (json_object_set_new(to, leaf, list) != 0)
            list = NULL;
    }
    if (list == NULL || value == NULL || json_array_append(list, value) != 0)
        t->incomplete = true;
    json_decref(value);
    pthread_mutex_unlock(&t->lock);
}

void tester_list(tester *t, const char *name, const char *value)
{
    append(t, name, text_value(value));
}

void tester_list_json(tester *t, const char *name, weir_bytes json)
{
    append(t, name, json_loadb(json.data, json.size, 0, NULL));
}

/* --- the end --- */

weir_status tester_blame(tester *t, tester_verdict verdict, weir_status status)
{
    if (t->verdict == TESTER_PASS)
        t->verdict = verdict;
    return status;
}

void tester_show_error(tester *t, const weir_error *err)
{
    if (!t->error_shown)
        put_line(t, "SEVERE", "\x1b[31m", err->text);
    t->error_shown = true;
}

void tester_absolve(tester *t)
{
    t->verdict = TESTER_PASS;
}

static const char *verdict_name(tester_verdict verdict)
{
    static const char *const names[] = { "pass", "connector failure", "usage", "tester error" };

    return names[verdict];
}

static bool put_outcome(tester *t, tester_verdict verdict, const char *error)
{
    const char *profile = t->options.profile == TESTER_OFFICIAL ? "official" : "production";

    return put(t->report, "tester", json_string(t->options.source ? "source" : "destination")) &&
           put(t->report, "profile", json_string(profile)) &&
           put(t->report, "seed", json_integer((json_int_t)t->options.seed)) &&
           put(t->report, "seconds", json_real((double)(weir__clock_ns() - t->begun_ns) / 1e9)) &&
           put(t->report, "exit_code", json_integer(verdict)) &&
           put(t->report, "verdict", json_string(verdict_name(verdict))) &&
           put(t->report, "error", error != NULL ? text_value(error) : json_null()) &&
           (json_object_get(t->report, "warnings") != NULL || put(t->report, "warnings", json_array())) &&
           (json_object_get(t->report, "faults") != NULL || put(t->report, "faults", json_array()));
}

/* The whole report as one line on standard output, or nothing; false when memory or a taker is missing. */
static bool print_report(tester *t, tester_verdict verdict, const char *error)
{
    weir_buf text;
    bool fine;

    weir__buf_init(&text, SIZE_MAX);
    fine = !t->incomplete && put_outcome(t, verdict, error) &&
           weir__json_put(&text, t->report, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6)) &&
           weir__buf_put_text(&text, "\n") && weir__console_write(1, text.data, text.size);
    weir__buf_clear(&text);
    return fine;
}

int tester_finish(tester *t, weir_status status, const weir_error *err)
{
    tester_verdict verdict = TESTER_PASS;
    const char *error = NULL;

    if (status < 0) {
        verdict = t->verdict != TESTER_PASS ? t->verdict : TESTER_BROKEN;
        error = err->text;
        tester_show_error(t, err);
    } else if (t->faults > 0) {
        verdict = TESTER_CONNECTOR;
    }
    if (verdict == TESTER_PASS)
        put_line(t, "INFO", "\x1b[32m", "Test run SUCCEEDED");
    else
        put_line(t, "SEVERE", "\x1b[31m", "Test run FAILED");
    if (t->options.json && !print_report(t, verdict, error)) {
        put_line(t, "SEVERE", "\x1b[31m", "the report could not be written to standard output");
        if (verdict == TESTER_PASS)
            verdict = TESTER_BROKEN;
    }
    return (int)verdict;
}
