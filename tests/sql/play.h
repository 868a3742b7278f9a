/* tests/sql/play: a sequence on a destination in this process, and what its store then holds. */
#ifndef TESTS_SQL_PLAY_H
#define TESTS_SQL_PLAY_H

#include "random.h"

#include "base/buf.h"

/* The destination under test. */
typedef struct subject {
    const weir_destination *destination;
    const char *const *options; /* "name=value" */
    size_t option_count;
    const char *read; /* as for weir test --read */
    limits limits;
    unsigned compare_every; /* steps between two comparisons; 1: after each */
    /* Every step is killed at every statement before it is done. */
    bool kill_everywhere;
    /* Sessions go from request to request, as in a connector that is served. */
    bool keeps_sessions;
    /* What is in the store that should not be there once all tables are gone, as text; may be NULL. */
    const char *(*leftovers)(const struct subject *stage, weir_arena *arena);
    /* Before this process is forked and killed: ends threads that the destination keeps. May be NULL. */
    void (*before_kill)(void *context);
    void (*clean)(const struct subject *stage,
                  const char *folder); /* removes what is in the private folder; may be NULL */
} subject;

typedef struct outcome {
    bool failed;
    size_t step;     /* where */
    unsigned kind;   /* of failure, so that shrinking does not change it */
    weir_buf text;   /* what is wrong; terminated */
    uint64_t points; /* statements at which the destination was killed */
} outcome;

/* A harness of the destination, with its options from `arena`. */
weir_harness *play_start(const subject *stage, weir_arena *arena);
/* Sends the request; its rows are put first. */
weir_status step_send(weir_harness *h, const step *s);
/* Plays all of it. */
void play(const subject *stage, const sequence *s, outcome *out);
/* After the last one. */
void play_end(void);

#endif
