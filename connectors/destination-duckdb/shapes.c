/* destination-duckdb/shapes: a list of tables, each one block: its name, then three texts a column. */
#include "shapes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHAPES_SIZE_MAX ((size_t)32 * 1024 * 1024) /* bytes of all; past it some are forgotten */

typedef struct shape {
    struct shape *next;
    size_t count; /* columns */
    size_t size;  /* bytes of `texts` */
    /* The name and, per column, its name, its type and its comment, or a byte 1 for none; NUL ends each. */
    char texts[];
} shape;

struct shapes {
    pthread_mutex_t lock;
    shape *first;
    size_t size;
    uint64_t age;
};

static const char no_comment[] = "\1";

shapes *shapes_new(void)
{
    shapes *all = calloc(1, sizeof *all);

    if (all != NULL)
        pthread_mutex_init(&all->lock, NULL);
    return all;
}

/* Unlinks what `at` points to, and frees it. */
static void drop(shapes *all, shape **at)
{
    shape *gone = *at;

    *at = gone->next;
    all->size -= gone->size;
    free(gone);
}

void shapes_free(shapes *all)
{
    if (all == NULL)
        return;
    while (all->first != NULL)
        drop(all, &all->first);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

uint64_t shapes_age(shapes *all)
{
    uint64_t age;

    pthread_mutex_lock(&all->lock);
    age = all->age;
    pthread_mutex_unlock(&all->lock);
    return age;
}

/* Where the table's shape hangs; the lock is held. */
static shape **find(shapes *all, const char *name)
{
    shape **at = &all->first;

    while (*at != NULL && strcmp((*at)->texts, name) != 0)
        at = &(*at)->next;
    return at;
}

/* What `shape` says, out of `texts`, its copy. */
static const weir_sql_found *unpack(weir_call *call, const char *texts, size_t count)
{
    weir_sql_found *out = weir_alloc(call, (count + 1) * sizeof *out);
    const char *at = texts + strlen(texts) + 1;

    for (size_t i = 0; i < count; i++) {
        const char *declared = at + strlen(at) + 1;
        const char *comment = declared + strlen(declared) + 1;

        out[i] = (weir_sql_found){ .name = at,
                                   .declared = declared,
                                   .comment = strcmp(comment, no_comment) != 0 ? comment : NULL };
        at = comment + strlen(comment) + 1;
    }
    return out;
}

bool shapes_find(shapes *all, weir_call *call, const char *name, const weir_sql_found **columns,
                 size_t *count)
{
    char *texts = NULL;
    size_t room = 0;

    for (;;) {
        shape **at;
        size_t size = 0;

        pthread_mutex_lock(&all->lock);
        at = find(all, name);
        if (*at != NULL) {
            size = (*at)->size;
            *count = (*at)->count;
        }
        if (size > 0 && size <= room)
            memcpy(texts, (*at)->texts, size);
        pthread_mutex_unlock(&all->lock);
        if (size == 0)
            return false;
        if (size <= room)
            break;
        texts = weir_alloc(call, size); /* not while the lock is held: it may leave */
        room = size;
    }
    *columns = unpack(call, texts, *count);
    return true;
}

static char *put(char *at, const char *text)
{
    size_t size = strlen(text) + 1;

    memcpy(at, text, size);
    return at + size;
}

static const char *comment_of(const weir_sql_found *column)
{
    return column->comment != NULL ? column->comment : no_comment;
}

static shape *pack(const char *name, const weir_sql_found *columns, size_t count)
{
    size_t size = strlen(name) + 1;
    shape *out;
    char *at;

    for (size_t i = 0; i < count; i++)
        size += strlen(columns[i].name) + strlen(columns[i].declared) + strlen(comment_of(&columns[i])) + 3;
    out = size <= SHAPES_SIZE_MAX ? malloc(sizeof *out + size) : NULL;
    if (out == NULL)
        return NULL;
    *out = (shape){ .count = count, .size = size };
    at = put(out->texts, name);
    for (size_t i = 0; i < count; i++)
        at = put(put(put(at, columns[i].name), columns[i].declared), comment_of(&columns[i]));
    return out;
}

void shapes_keep(shapes *all, uint64_t age, const char *name, const weir_sql_found *columns, size_t count)
{
    shape *kept = pack(name, columns, count);
    shape **at;

    if (kept == NULL)
        return;
    pthread_mutex_lock(&all->lock);
    if (age != all->age) {
        free(kept);
    } else {
        if (*(at = find(all, name)) != NULL)
            drop(all, at);
        while (all->first != NULL && all->size + kept->size > SHAPES_SIZE_MAX)
            drop(all, &all->first);
        kept->next = all->first;
        all->first = kept;
        all->size += kept->size;
    }
    pthread_mutex_unlock(&all->lock);
}

void shapes_forget(shapes *all, const char *name)
{
    shape **at;

    pthread_mutex_lock(&all->lock);
    all->age++;
    at = find(all, name);
    if (*at != NULL)
        drop(all, at);
    pthread_mutex_unlock(&all->lock);
}
