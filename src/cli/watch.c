/*
 * cli/watch: the live line is redrawn in place: carriage return, text, erase to the end of the line.
 *
 * A mutex guards the terminal: whoever writes a line first takes the live line away and then puts it back.
 */
#include "cli/watch.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "sys/clock.h"
#include "sys/console.h"
#include "sys/process.h"

#define LINE_SIZE 1024
#define WARNINGS_MAX 1000
#define PLAIN_EVERY (10 * INT64_C(1000000000))
#define RATE_EVERY (1 * INT64_C(1000000000))

struct watch {
    engine_progress *progress;
    pthread_mutex_t lock;
    bool terminal;
    bool drawn; /* the live line is on the screen */
    char live[LINE_SIZE];
    int64_t begun_ns;
    int64_t printed_ns;
    int64_t rated_ns;
    uint64_t rated_rows;
    uint64_t rated_bytes;
    double rows_per_second;
    double bytes_per_second;
    char *warnings[WARNINGS_MAX];
    size_t warning_count;
};

watch *watch_new(engine_progress *progress)
{
    watch *w = weir__calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->progress = progress;
    pthread_mutex_init(&w->lock, NULL);
    w->terminal = weir__console_is_terminal(2);
    w->begun_ns = weir__clock_ns();
    w->printed_ns = w->begun_ns;
    w->rated_ns = w->begun_ns;
    return w;
}

static void put(const char *text, size_t size)
{
    bool there = weir__console_write(2, text, size);

    (void)there; /* nobody is left to be told */
}

static void erase(watch *w)
{
    if (w->drawn)
        put("\r\x1b[K", 4);
    w->drawn = false;
}

void watch_end(watch *w)
{
    pthread_mutex_lock(&w->lock);
    erase(w);
    pthread_mutex_unlock(&w->lock);
}

void watch_free(watch *w)
{
    if (w == NULL)
        return;
    watch_end(w);
    for (size_t i = 0; i < w->warning_count; i++)
        weir__free(w->warnings[i]);
    pthread_mutex_destroy(&w->lock);
    weir__free(w);
}

/*
 * Control characters would let a connector write over other lines, so they become blanks; bad UTF-8 becomes
 * U+FFFD.
 */
static size_t clean(weir_bytes text, char *out, size_t size_max)
{
    size_t size = weir__utf8_cut(text.data, text.size, size_max / 3);

    size = size > 0 ? weir__utf8_scrub(text.data, size, out) : 0;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7F)
            out[i] = ' ';
    return size;
}

static void keep_warning(watch *w, const char *who, const char *text, size_t size)
{
    size_t room = strlen(who) + 2 + size + 1;
    char *kept;

    if (w->warning_count == WARNINGS_MAX)
        return;
    kept = weir__malloc(room);
    if (kept == NULL)
        return;
    snprintf(kept, room, "%s: %.*s", who, (int)size, text);
    w->warnings[w->warning_count++] = kept;
}

void watch_event(watch *w, const sync_event *event)
{
    static const char *const marks[] = { "", "warning: ", "trying again: " };
    char text[3 * 4096];
    char line[sizeof text + 512];
    size_t size = clean(event->text, text, sizeof text);
    const char *level = event->kind == SYNC_LOG ? event->level : "";
    int length = snprintf(line, sizeof line, "%s%.400s: %.16s%s%.*s\n", marks[event->kind], event->who, level,
                          level[0] ? " " : "", (int)size, text);

    pthread_mutex_lock(&w->lock);
    if (event->kind == SYNC_WARNING)
        keep_warning(w, event->who, text, size);
    erase(w);
    if (length > 0)
        put(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
    pthread_mutex_unlock(&w->lock);
}

const char *const *watch_warnings(watch *w, size_t *count)
{
    *count = w->warning_count;
    return (const char *const *)w->warnings;
}

static void measure(watch *w, int64_t now_ns)
{
    uint64_t rows = atomic_load(&w->progress->rows_received);
    uint64_t bytes = atomic_load(&w->progress->bytes_received);
    double seconds = (double)(now_ns - w->rated_ns) / 1e9;

    /* The first second shows what there is so far. */
    if (now_ns - w->rated_ns < RATE_EVERY && w->rated_ns != w->begun_ns)
        return;
    w->rows_per_second = (double)(rows - w->rated_rows) / seconds;
    w->bytes_per_second = (double)(bytes - w->rated_bytes) / seconds;
    if (now_ns - w->rated_ns < RATE_EVERY)
        return;
    w->rated_rows = rows;
    w->rated_bytes = bytes;
    w->rated_ns = now_ns;
}

#define COUNT_SIZE 24

/* "9999", "10.5k", "3.28M": a live line has no room for digits that nobody reads. */
static const char *short_count(double value, char out[COUNT_SIZE])
{
    static const char units[] = " kMGT";
    size_t unit = 0;

    if (value < 10000) {
        snprintf(out, COUNT_SIZE, "%.0f", value);
        return out;
    }
    for (; value >= 1000 && units[unit + 1] != '\0'; unit++)
        value /= 1000;
    snprintf(out, COUNT_SIZE, "%.*f%c", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[unit]);
    return out;
}

static size_t describe(watch *w, int64_t now_ns, char *out, size_t size)
{
    int64_t committed_ns = atomic_load(&w->progress->committed_ns);
    uint64_t seen = atomic_load(&w->progress->rows_seen);
    char texts[4][COUNT_SIZE];
    char age[32] = "none";
    char back[COUNT_SIZE + 16] = "";
    int length;

    measure(w, now_ns);
    if (committed_ns != 0)
        snprintf(age, sizeof age, "%.0f s ago", (double)(now_ns - committed_ns) / 1e9);
    if (seen != 0)
        snprintf(back, sizeof back, ", %s read back", short_count((double)seen, texts[3]));
    length = snprintf(out, size,
                      "%.0f s  %s rows, %s loaded%s  %s rows/s  %.1f MB/s  checkpoint %s  RSS %zu MB",
                      (double)(now_ns - w->begun_ns) / 1e9,
                      short_count((double)atomic_load(&w->progress->rows_received), texts[0]),
                      short_count((double)atomic_load(&w->progress->rows_loaded), texts[1]), back,
                      short_count(w->rows_per_second, texts[2]), w->bytes_per_second / 1e6, age,
                      weir__process_rss() / 1000000);
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

void watch_tick(watch *w)
{
    int64_t now_ns = weir__clock_ns();
    char text[LINE_SIZE];
    size_t size;

    if (!w->terminal && now_ns - w->printed_ns < PLAIN_EVERY)
        return;
    size = describe(w, now_ns, text, sizeof text - 8);
    pthread_mutex_lock(&w->lock);
    w->printed_ns = now_ns;
    if (w->terminal) {
        size_t width = (size_t)weir__console_width(2) - 1;

        put("\r", 1);
        put(text, size < width ? size : width);
        put("\x1b[K", 3);
        w->drawn = true;
    } else {
        text[size++] = '\n';
        put(text, size);
    }
    pthread_mutex_unlock(&w->lock);
}
