/* sys/signal: a self-pipe, so that the handler does nothing but write one byte. */
#include "sys/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static int pipe_ends[2] = { -1, -1 };

static void note(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(pipe_ends[1], &byte, 1);

    (void)written; /* full: one is noted already */
    errno = saved;
}

weir_status weir__signal_open(weir_error *err)
{
    struct sigaction action = { .sa_flags = SA_RESTART | (int)SA_RESETHAND };
    struct sigaction ignore = { 0 };

    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return weir__error(err, "cannot watch for signals: %s", strerror(errno));
    (void)fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
    action.sa_handler = note;
    ignore.sa_handler = SIG_IGN;
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0)
        return weir__error(err, "cannot watch for signals: %s", strerror(errno));
    return WEIR_OK;
}

int weir__signal_wait(void)
{
    struct pollfd noted = { .fd = pipe_ends[0], .events = POLLIN };
    unsigned char byte = 0;

    while (poll(&noted, 1, -1) < 0 && errno == EINTR)
        continue;
    while (read(pipe_ends[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    return byte;
}

void weir__signal_close(void)
{
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pipe_ends[0] = -1;
    pipe_ends[1] = -1;
}

#ifndef SANITIZED
/*
 * Where the handler runs when the stack itself has run out. One per thread, in its thread-local memory, so
 * that there is nothing to release; pages of it that are never used cost nothing.
 */
#define ALTERNATE_SIZE (32 * WEIR_KIB)
static _Thread_local char alternate[ALTERNATE_SIZE];
static _Thread_local bool alternate_set;

static int word_fd;
static const char *word_before;
static const char *word_after;

/* strlen and the like are fine in a signal handler; stdio is not. */
static void say(const char *text)
{
    ssize_t written = write(word_fd, text, strlen(text));

    (void)written;
}

static void last_word(int number)
{
    say(word_before);
    say(number == SIGSEGV   ? "SIGSEGV"
        : number == SIGBUS  ? "SIGBUS"
        : number == SIGFPE  ? "SIGFPE"
        : number == SIGILL  ? "SIGILL"
        : number == SIGABRT ? "SIGABRT"
                            : "a signal");
    say(word_after);
    raise(number); /* the handler was reset: this time it kills */
}
#endif

void weir__signal_thread(void)
{
#ifndef SANITIZED
    const stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };

    if (!alternate_set)
        alternate_set = sigaltstack(&stack, NULL) == 0;
#endif
}

void weir__signal_last_word(int fd, const char *before, const char *after)
{
#ifndef SANITIZED
    const int numbers[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    struct sigaction action = { .sa_flags = (int)SA_RESETHAND | SA_ONSTACK };

    weir__signal_thread();
    word_fd = fd;
    word_before = before;
    word_after = after;
    action.sa_handler = last_word;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        (void)sigaction(numbers[i], &action, NULL);
#else
    (void)fd;
    (void)before;
    (void)after;
#endif
}
