/* sys/signal: being told to stop, and dying with a last word. Once per process, from the main thread. */
#ifndef WEIR_SYS_SIGNAL_H
#define WEIR_SYS_SIGNAL_H

#include "base/error.h"

/*
 * From now on SIGTERM and SIGINT are noted instead of ending the process, each once: a second one of the same
 * kind ends it at once. SIGPIPE is ignored: writing to a peer that has gone is an ordinary error.
 */
weir_status weir__signal_open(weir_error *err) WEIR_CHECKED;
/* Waits until one of them has come; returns its number. */
int weir__signal_wait(void);
/* Back to what the system does by itself; for tests. */
void weir__signal_close(void);

/*
 * When the process crashes (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT), `before`, the signal's name and
 * `after` are written to `fd`; then it dies of that signal. Texts are static, or live as long as the process.
 * Sanitizers keep their own handlers.
 */
void weir__signal_last_word(int fd, const char *before, const char *after);
/*
 * Makes the last word possible when the calling thread runs out of stack, as last_word does for the main
 * thread. Cheap; again is harmless.
 */
void weir__signal_thread(void);

#endif
