/*
 * sys/child: a copy of this process that does one thing and goes: how a test survives what it tests.
 *
 *   parent ── start ──▶ child: body(context, fd) ── writes to fd ──▶ parent reads ── end
 *
 * Plain fork, without exec: the child has the memory of the parent as it stands, and only the calling thread
 * of it. A lock that another thread holds at that moment is held for ever in the child. So start refuses when
 * there are other threads. The child leaves by _exit: nothing of the parent's atexit work runs twice, and
 * buffered output that the parent has not flushed is not written twice by us (flush stdio before start).
 */
#ifndef WEIR_SYS_CHILD_H
#define WEIR_SYS_CHILD_H

#include "base/buf.h"
#include "sys/process.h"

typedef struct weir_child weir_child;

/*
 * Starts it. `body` runs in the child, its result (0 to 255) is the exit code; `fd` is where what it writes
 * (weir__child_write) goes to the parent. The child dies with the parent. Fails when the process has other
 * threads. *out is owned by the caller.
 */
weir_status weir__child_start(int (*body)(void *context, int fd), void *context, weir_child **out,
                              weir_error *err) WEIR_CHECKED;
/* In the child: writes all of it; false when the parent has gone. */
bool weir__child_write(int fd, const void *data, size_t size);
/* In the child: dies of SIGKILL on the spot, as in a power cut. */
_Noreturn void weir__child_die(void);
/*
 * Output of the child: WEIR_ITEM with 1 to `size` bytes; WEIR_OK when it has closed its end; WEIR_FAILED when
 * the deadline (CLOCK_MONOTONIC) has passed.
 */
weir_status weir__child_read(weir_child *child, void *out, size_t size, int64_t deadline_ns, size_t *got);
/* Waits for its end, kills it at the deadline: false then. *end is set in both cases. */
bool weir__child_wait(weir_child *child, int64_t deadline_ns, weir_process_end *end);
/* Kills it if it still runs, reaps, releases. Accepts NULL. */
void weir__child_close(weir_child *child);

/*
 * Threads of this process. One that has just been joined may take the system a moment to clear away: waits up
 * to 200 ms for the number to become 1.
 */
size_t weir__child_threads(void);
/* What a descriptor of this process refers to, as text; false when it is not open. */
bool weir__child_descriptor(int fd, char *out, size_t size);
/* Descriptors above this number are not looked at. */
#define WEIR_CHILD_DESCRIPTOR_MAX 256

/*
 * A file without a name, in memory, that children share: what they write to it is there for the parent, in
 * the order of writing, whatever becomes of them. *fd is closed with weir__child_scratch_close.
 */
weir_status weir__child_scratch(int *fd, weir_error *err) WEIR_CHECKED;
void weir__child_scratch_close(int fd);
/* Appends to `out` what was written since `*from` bytes from its beginning, and moves *from on. */
bool weir__child_scratch_read(int fd, uint64_t *from, weir_buf *out) WEIR_CHECKED;

#endif
