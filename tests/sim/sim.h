/*
 * tests/sim: the whole engine, simulated by seed: shared by the files of this folder. README.md says how
 * it works.
 */
#ifndef WEIR_TESTS_SIM_H
#define WEIR_TESTS_SIM_H

#include <stdio.h>

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "engine/readback.h"
#include "model/model.h"

/* --- chance: a stream of numbers per purpose, so that one does not disturb the other --- */

typedef struct sim_dice {
    uint64_t state;
} sim_dice;

uint64_t sim_draw(sim_dice *dice);                /* any number */
uint64_t sim_below(sim_dice *dice, uint64_t end); /* 0 to end - 1 */
bool sim_chance(sim_dice *dice, unsigned one_in); /* never when 0 */

/* --- threads and time (threads.c) --- */

typedef enum sim_outcome {
    SIM_ENDED,
    SIM_KILLED, /* at step `kill_at`: nothing of the process went on after it */
    SIM_STUCK,  /* every thread waits, and none for a time */
    SIM_TOO_LONG
} sim_outcome;

typedef struct sim_limits {
    uint64_t kill_at; /* step; 0: never */
    int64_t until_ns; /* of simulated time: SIM_TOO_LONG */
} sim_limits;

/* Time and chance begin anew. */
void sim_threads_reset(uint64_t seed);
/* Runs `body` as the first thread of a process, until it returns. */
sim_outcome sim_run(void (*body)(void *context), void *context, const sim_limits *limits);
/* Threads that had not ended when the last process did; its first one is not counted. */
size_t sim_threads_left(void);
/* Inside a process? Outside, the system is the real one. */
bool sim_inside(void);
/* A step: here the process may be killed, or another thread may go on. */
void sim_step(void);
void sim_sleep(int64_t duration_ns);
/* Waits for sim_wake(object) or the time. False: the time. */
bool sim_wait(const void *object, int64_t until_ns);
void sim_wake(const void *object);
int64_t sim_now_ns(void);
uint64_t sim_steps(void); /* of the last or present process */
uint64_t sim_hash(void);  /* of all that was decided since the reset: equal for equal runs */
void sim_note(uint64_t what);

/* --- faults (system.c, calls.c) --- */

typedef struct sim_faults {
    unsigned calls;    /* one in so many calls and messages fails somehow; 0: none */
    unsigned files;    /* one in so many operations on files: the disk is full */
    unsigned database; /* one in so many statements of the state store, likewise */
} sim_faults;

void sim_system_reset(uint64_t seed);
void sim_faults_set(const sim_faults *faults);
const sim_faults *sim_faults_get(void);
sim_dice *sim_fault_dice(void);
sim_dice *sim_limit_dice(void);
/* A process has ended, however: closes what it had open, as the system does. */
void sim_system_bury(void);
/*
 * The same for its calls. `killed`: the destination may not have noticed yet, so requests that were on
 * their way are carried out or not, by chance.
 */
void sim_calls_bury(bool killed);

/* --- the script: what the source has, and what must be at the destination (script.c) --- */

#define SIM_OPS_MAX 200
#define SIM_ROUNDS_MAX 3

void sim_script_make(uint64_t seed);
size_t sim_script_rounds(void);
void sim_script_print(void); /* tables and operations, for people */
bool sim_script_has_history(void);
/* From now on the source has the operations of the rounds up to this one (from 0). */
void sim_script_begin(size_t round);
/* The state after the last operation there is. */
int64_t sim_script_end(void);
/* Whether a checkpoint with this state was sent. */
bool sim_script_sent(int64_t state);
/* The answer to Schema, encoded. */
weir_status sim_script_schema(weir_buf *out, weir_error *err);
/*
 * What a stream that begins at `at` tells first: keys that have changed since Schema was true. *next counts;
 * WEIR_ITEM: one message, WEIR_OK: no more.
 */
weir_status sim_script_resume(int64_t at, size_t *next, weir_buf *out, weir_error *err);
/*
 * The next message of a stream that has come to operation *at, at most `count` records in it. WEIR_OK: no
 * more.
 */
weir_status sim_script_next(int64_t *at, size_t count, weir_buf *out, weir_error *err);

/* One row as it must be in the end, by the rules, without looking at the engine. */
typedef struct sim_row {
    weir_cell cells[8]; /* in the order of the table's columns; `column` is not set */
    bool deleted;       /* of a version: it has ended */
    unsigned version;   /* in history mode: from 1, per key; else 0 */
} sim_row;

typedef struct sim_expected {
    const char *schema; /* the source's, "" without */
    const char *name;
    const char *columns[8];
    bool keys[8]; /* what tells rows apart: the key, all columns of a table without */
    size_t column_count;
    bool history;
    const sim_row *rows;
    size_t row_count;
} sim_expected;

/* Table number `index` as it must be after the operations there are. False past the last. */
bool sim_script_expect(size_t index, sim_expected *out);

/* --- the destination (store.c) --- */

void sim_store_reset(void);
/* Serves one unary request in this thread; the gRPC status. */
unsigned sim_store_serve(const char *method, weir_bytes request, weir_buf *reply, char *text,
                         size_t text_size);
/* "" when the destination holds what the script says. */
void sim_store_compare(char *out, size_t size);
const weir_model *sim_store_model(void);
/* The same, read back after a sync (shown.c). */
extern const readback_store sim_shown;

#endif
