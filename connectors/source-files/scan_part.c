/*
 * source-files: a large CSV file is scanned by several threads, a part each.
 *
 *     from the start ──rows──►|                    |
 *                             part 0 ──rows──►     |       from one line end to the next row behind its part
 *                                                  part 1 ──rows──► the file's end
 *
 * A thread has everything it needs in memory of its own, as the call may be left on the spot. It judges
 * nothing: what needs a person ends the part, and is found again by whoever reads its rows.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

#define PARTS_MAX 7
#define WAIT_MS 100 /* between two looks at the caller */
#define PART_SIZE_MIN ((int64_t)1 << 20)
#ifndef SCAN_SHARES /* tests share in more */
#define SCAN_SHARES sysconf(_SC_NPROCESSORS_ONLN)
#endif

typedef struct scan_part {
    struct scan_parts *all;
    pthread_t thread;
    bool running;
    int64_t from;  /* its first row begins behind the first line end from the byte before on */
    int64_t until; /* a row that begins here, or later, is another part's */
    bool fine;
    scan_found found;
    traits *known;
} scan_part;

struct scan_parts {
    atomic_bool stopped;
    char *path;
    char *null_text;
    bool *key;
    size_t fields;
    char delimiter;
    scan_part items[PARTS_MAX];
    size_t count;
    size_t taken;
};

/* --- a part, in its thread --- */

/* Moves to the first row. */
static bool find_begin(const scan_part *part, csv_file *f)
{
    csv_text *t = &f->text;

    if (!csv_file_seek(f, part->from - 1))
        return false;
    do {
        t->start = t->size;
        if (csv_file_more(f) != CSV_FINE)
            return false;
        while (t->start < t->size && t->buffer[t->start] != '\n' && t->buffer[t->start] != '\r')
            t->start++;
    } while (t->start == t->size && !t->ended);
    return true;
}

/* Moves to where the next row begins, or the file ends. */
static bool find_row(csv_file *f)
{
    while (!csv_file_skip_ends(f) && !f->text.ended)
        if (csv_file_more(f) != CSV_FINE)
            return false;
    return true;
}

static bool take_row(scan_part *part, csv_file *f)
{
    const scan_parts *all = part->all;

    if (f->text.count > all->fields || csv_file_broken(f) < f->text.count)
        return false;
    csv_file_fill(f, all->fields, (weir_bytes){ all->null_text, strlen(all->null_text) });
    for (size_t i = 0; i < all->fields; i++) {
        if (all->key[i] && f->text.fields[i].kind == FIELD_NULL)
            return false;
        traits_add(&part->known[i], &f->text.fields[i]);
    }
    part->found.rows++;
    return true;
}

static bool scan_rows(scan_part *part, csv_file *f)
{
    if (!find_begin(part, f) || !find_row(f))
        return false;
    part->found.begin = csv_file_at(f);
    while (!atomic_load_explicit(&part->all->stopped, memory_order_relaxed)) {
        part->found.end = csv_file_at(f);
        if (part->found.end >= part->until)
            return true;
        switch (csv_text_row(&f->text)) {
        case CSV_ROW:
            if (!take_row(part, f) || !find_row(f))
                return false;
            break;
        case CSV_MORE:
            if (csv_file_more(f) != CSV_FINE)
                return false;
            break;
        case CSV_END:
            return true;
        case CSV_OPEN:
        case CSV_QUOTE:
            return false;
        }
    }
    return false;
}

static void *scan_part_run(void *context)
{
    scan_part *part = context;
    csv_file file;

    if (!csv_file_open(&file, part->all->path, part->all->delimiter))
        return NULL;
    part->fine = scan_rows(part, &file);
    csv_file_close(&file);
    return NULL;
}

/* --- all of them --- */

static size_t parts_of(int64_t size)
{
    int64_t shares = SCAN_SHARES;

    if (shares > size / PART_SIZE_MIN)
        shares = size / PART_SIZE_MIN;
    if (shares > PARTS_MAX + 1)
        shares = PARTS_MAX + 1;
    return shares > 1 ? (size_t)shares - 1 : 0; /* the first share is read from the start */
}

static bool set_up(scan_parts *parts, const scan_how *how)
{
    size_t count = parts_of(how->size);

    parts->path = strdup(how->path);
    parts->null_text = strdup(how->null_text);
    parts->key = calloc(how->fields + 1, sizeof *parts->key);
    parts->fields = how->fields;
    parts->delimiter = how->delimiter;
    if (parts->path == NULL || parts->null_text == NULL || parts->key == NULL)
        return false;
    memcpy(parts->key, how->key, how->fields * sizeof *parts->key);
    for (size_t i = 0; i < count; i++) {
        scan_part *part = &parts->items[i];

        part->all = parts;
        part->from = how->size / (int64_t)(count + 1) * (int64_t)(i + 1);
        part->until = i + 1 < count ? how->size / (int64_t)(count + 1) * (int64_t)(i + 2) : INT64_MAX;
        part->known = calloc(how->fields + 1, sizeof *part->known);
        if (part->known == NULL)
            return false;
        part->found.known = part->known;
        part->running = pthread_create(&part->thread, NULL, scan_part_run, part) == 0;
        if (!part->running)
            return false;
        parts->count++;
    }
    return count > 0;
}

scan_parts *scan_parts_new(const scan_how *how)
{
    scan_parts *parts = calloc(1, sizeof *parts);

    if (parts == NULL || set_up(parts, how))
        return parts;
    scan_parts_free(parts);
    return NULL;
}

void scan_parts_free(scan_parts *parts)
{
    if (parts == NULL)
        return;
    atomic_store(&parts->stopped, true);
    for (size_t i = 0; i < PARTS_MAX; i++) {
        if (parts->items[i].running)
            pthread_join(parts->items[i].thread, NULL);
        free(parts->items[i].known);
    }
    free(parts->path);
    free(parts->null_text);
    free(parts->key);
    free(parts);
}

int64_t scan_parts_next(const scan_parts *parts)
{
    return parts->taken < parts->count ? parts->items[parts->taken].from : INT64_MAX;
}

static struct timespec soon(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return until;
}

bool scan_parts_take(weir_call *call, scan_parts *parts, scan_found *out)
{
    scan_part *part = &parts->items[parts->taken++];

    while (part->running) {
        struct timespec until = soon();

        if (pthread_timedjoin_np(part->thread, NULL, &until) == 0)
            part->running = false;
        else if (!weir_running(call))
            atomic_store(&parts->stopped, true);
    }
    *out = part->found;
    return part->fine;
}
