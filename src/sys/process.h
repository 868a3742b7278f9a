/*
 * sys/process: child processes, and what the system knows about this one.
 *
 * A child runs in a process group of its own and is told by the kernel to die when the thread that spawned it
 * ends, so an engine that is killed leaves no connector behind: spawn from a thread that lives as long as the
 * child should. Its standard input is empty; standard output and standard error both arrive in one pipe. One
 * thread at a time per process, except that one thread may read while another waits or signals.
 */
#ifndef WEIR_SYS_PROCESS_H
#define WEIR_SYS_PROCESS_H

#include <weir/base.h>

#include "base/error.h"

typedef struct weir_process weir_process;

typedef struct weir_process_options {
    const char *const
        *argv; /* argv[0] is the program, looked up in PATH unless it has a slash; NULL ends the list */
    const char *const *environment; /* "NAME=value" added to ours; NULL ends the list; may be NULL */
    const int *kept;                /* descriptors that the child inherits, for instance a lock */
    size_t kept_count;
    int cpu;  /* run on this CPU only; negative: anywhere */
    int nice; /* so much less urgent than this thread (nice(2)); 0: as urgent */
    /*
     * What the child starts is not told to die by the kernel: the whole group is killed as soon as this
     * process has gone, however it went. A second process, which leads the group, waits for that.
     */
    bool guarded;
} weir_process_options;

/* How a process ended. */
typedef struct weir_process_end {
    int code;   /* exit code; meaningless when `signal` is not 0 */
    int signal; /* the signal that ended it, or 0 */
} weir_process_end;

#define WEIR_PROCESS_END_SIZE 96 /* bytes that hold weir__process_end_text */

/*
 * Whether there is such a program to execute, looked up as spawn does; says what is there instead: nothing, a
 * folder, a file that may not be executed.
 */
weir_status weir__process_find(const char *program, weir_error *err) WEIR_CHECKED;
/* Starts the program; fails, naming it, when it cannot be executed. *out is owned by the caller. */
weir_status weir__process_spawn(const weir_process_options *options, weir_process **out,
                                weir_error *err) WEIR_CHECKED;
/* Kills the whole group if it still runs, reaps, releases. Accepts NULL. */
void weir__process_close(weir_process *process);
int weir__process_id(const weir_process *process);
#define WEIR_PROCESS_KILL 9
#define WEIR_PROCESS_TERMINATE 15

/* Sends a signal, one of the above or another, to the whole group; harmless when it has ended. */
void weir__process_signal(weir_process *process, int signal);
/* WEIR_OK: ended, see *end. WEIR_ITEM: still running at the deadline (CLOCK_MONOTONIC; 0 asks only). */
weir_status weir__process_wait(weir_process *process, int64_t deadline_ns, weir_process_end *end);
/* "was killed by signal 9 (Killed)", "exited with code 3". */
void weir__process_end_text(weir_process_end end, char out[WEIR_PROCESS_END_SIZE]);
/*
 * Output of the child: WEIR_ITEM with 1 to `size` bytes; WEIR_OK when everybody who could write has gone;
 * WEIR_FAILED when the deadline has passed.
 */
weir_status weir__process_read(weir_process *process, void *out, size_t size, int64_t deadline_ns,
                               size_t *got);

/* Makes this thread so much less urgent than it is (nice(2)), for good; what it starts is no more urgent. */
void weir__thread_lower(int by);

/* Resident memory of this process, bytes: now, and the most it ever was. 0 when unknown. */
size_t weir__process_rss(void);
size_t weir__process_rss_peak(void);
/*
 * SIGINT, SIGTERM and SIGHUP become readable events: they are blocked for this thread and the threads it
 * starts from now on (children get their defaults back); SIGPIPE and SIGXFSZ are ignored. *fd is polled for
 * reading, closed with close; take() returns the signal, or 0.
 */
weir_status weir__process_signals_open(int *fd, weir_error *err) WEIR_CHECKED;
int weir__process_signals_take(int fd);

#endif
