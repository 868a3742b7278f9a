/*
 * tests/sql/random: random sequences of requests, played on a destination and on the model (src/model).
 *
 *   values.c     random cells          generate.c, changes.c   a sequence from a seed
 *   play.c       on a destination      random.c                main: count, compare, shrink, print
 *
 * A sequence depends on its seed and on what the store can hold (limits), never on a destination's answers,
 * so that a seed names it. Leaving steps or rows out gives a sequence that can be played as well: a step that
 * the model refuses must be refused by the destination, too.
 */
#ifndef TESTS_SQL_RANDOM_H
#define TESTS_SQL_RANDOM_H

#include <weir/testing.h>

#include "base/arena.h"
#include "model/model.h"

/* What a store cannot hold, or a destination is not asked to do. */
typedef struct limits {
    unsigned time_digits; /* of a second; 0: nine */
    size_t name_size_max; /* bytes of a column's name in the store; longer ones end in a hash. 0: any */
    bool no_nan;          /* neither NaN nor infinities */
    bool ignores_case;    /* of names */
    bool checks_json;     /* a text that is none cannot become JSON */
    bool small_keys;      /* a key of more than two texts, or of long ones, may be refused */
    bool only_wider;      /* types change to wider ones only, and not to text */
} limits;

typedef struct dice {
    uint64_t state;
    limits limits;
    weir_arena *arena;
} dice;

uint64_t dice_roll(dice *d, uint64_t sides); /* 0 … sides - 1 */
bool dice_chance(dice *d, unsigned percent);

/* values.c */
/* A value of the column: number `index` of its domain; below 4 they fit into any bounds. */
weir_cell value_at(dice *d, const weir_column *column, unsigned index);
/* Any value of the column, extremes too; never NULL. */
weir_cell value_any(dice *d, const weir_column *column);
/* The value's text as a migration has it. */
weir_bytes value_text(dice *d, const weir_cell *cell);
/* Number `index` of the times that histories are made of. */
weir_time value_start(dice *d, unsigned index);
/* Bounds, where the type has some. */
weir_params value_params(dice *d, weir_type type);
bool value_may_be_key(weir_type type);

typedef enum step_kind {
    STEP_CREATE,
    STEP_ALTER,
    STEP_TRUNCATE,
    STEP_WRITE,
    STEP_HISTORY,
    STEP_MIGRATE
} step_kind;

/* One request. */
typedef struct step {
    step_kind kind;
    weir_table table; /* create, alter, write, history */
    bool drop_columns;
    weir_row *rows; /* cells in the table's order */
    size_t row_count;
    weir_truncation truncation;
    weir_migration migration;
    bool again;        /* sent once more afterwards */
    unsigned kill_at;  /* sent before, and killed at that statement; 0: not */
    unsigned kill_row; /* likewise, at that row */
} step;

typedef struct sequence {
    weir_arena *arena; /* all of it */
    step *steps;
    size_t count;
} sequence;

/* generate.c */
/* `run` makes the tables' names unique. */
sequence sequence_new(uint64_t seed, const limits *what, unsigned run);
void sequence_free(sequence *s);
/* The step on a model. */
weir_status step_apply(weir_model *model, const step *s, weir_arena *arena, weir_error *err);

/* changes.c */
void change_alter(dice *d, const weir_table *stored, step *out);
void change_migrate(dice *d, const weir_model *model, const weir_model_table *table, const char *spare,
                    step *out);

#endif
