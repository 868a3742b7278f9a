/* sys/child: fork, a pipe back, and /proc/self for what the process has. */
#include "sys/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/clock.h"

#define NS_PER_MS INT64_C(1000000)
#define SETTLE_MS 200

/* ThreadSanitizer has a thread of its own, which copes with fork. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define OWN_THREADS 2
#else
#define OWN_THREADS 1
#endif

struct weir_child {
    pid_t id;
    int output;
    bool ended;
    weir_process_end end;
};

static size_t count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    size_t count = 0;

    if (folder == NULL)
        return 1; /* nothing is known; the caller goes on */
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count > OWN_THREADS ? count - OWN_THREADS + 1 : 1;
}

size_t weir__child_threads(void)
{
    size_t count = count_threads();

    for (int i = 0; count > 1 && i < SETTLE_MS; i++) {
        weir__clock_sleep(NS_PER_MS);
        count = count_threads();
    }
    return count;
}

static _Noreturn void run_child(int (*body)(void *context, int fd), void *context, pid_t parent, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* the parent died before the line above */
    _exit(body(context, fd) & 255);
}

weir_status weir__child_start(int (*body)(void *context, int fd), void *context, weir_child **out,
                              weir_error *err)
{
    weir_child *child = weir__calloc(1, sizeof *child);
    size_t threads = weir__child_threads();
    pid_t parent = getpid();
    int pair[2] = { -1, -1 };

    if (child == NULL)
        return weir__error_memory(err, "starting a child process");
    if (threads > 1) {
        weir__error(
            err,
            "this process has %zu threads; a child would have only one of them, and the locks of all: "
            "join the others first",
            threads);
        goto fail;
    }
    if (pipe2(pair, O_CLOEXEC) < 0) {
        weir__error(err, "start a child process: pipe: %s", strerror(errno));
        goto fail;
    }
    child->id = fork();
    if (child->id == 0) {
        close(pair[0]);
        run_child(body, context, parent, pair[1]);
    }
    close(pair[1]);
    if (child->id < 0) {
        weir__error(err, "start a child process: fork: %s", strerror(errno));
        close(pair[0]);
        goto fail;
    }
    child->output = pair[0];
    *out = child;
    return WEIR_OK;
fail:
    weir__free(child);
    return WEIR_FAILED;
}

bool weir__child_write(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t done = write(fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

void weir__child_die(void)
{
    for (;;)
        kill(getpid(), SIGKILL);
}

static int poll_timeout(int64_t deadline_ns)
{
    int64_t left_ms = (deadline_ns - weir__clock_ns()) / NS_PER_MS;

    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms + 1;
}

weir_status weir__child_read(weir_child *child, void *out, size_t size, int64_t deadline_ns, size_t *got)
{
    for (;;) {
        struct pollfd entry = { .fd = child->output, .events = POLLIN };
        int ready = poll(&entry, 1, poll_timeout(deadline_ns));
        ssize_t done;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0 && weir__clock_ns() < deadline_ns)
            continue;
        if (ready <= 0)
            return WEIR_FAILED;
        done = read(child->output, out, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return WEIR_OK;
        *got = (size_t)done;
        return WEIR_ITEM;
    }
}

static bool reap(weir_child *child, int options)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(child->id, &status, options);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    child->ended = true;
    if (got == child->id && WIFEXITED(status))
        child->end.code = WEXITSTATUS(status);
    else if (got == child->id && WIFSIGNALED(status))
        child->end.signal = WTERMSIG(status);
    return true;
}

bool weir__child_wait(weir_child *child, int64_t deadline_ns, weir_process_end *end)
{
    bool in_time = true;

    while (!child->ended && !reap(child, WNOHANG)) {
        if (weir__clock_ns() >= deadline_ns) {
            in_time = false;
            kill(child->id, SIGKILL);
            reap(child, 0);
            break;
        }
        weir__clock_sleep(NS_PER_MS / 10);
    }
    *end = child->end;
    return in_time;
}

void weir__child_close(weir_child *child)
{
    if (child == NULL)
        return;
    close(child->output);
    if (!child->ended) {
        kill(child->id, SIGKILL);
        reap(child, 0);
    }
    weir__free(child);
}

bool weir__child_descriptor(int fd, char *out, size_t size)
{
    char path[64];
    ssize_t length;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    length = readlink(path, out, size - 1);
    if (length < 0)
        return false;
    out[length] = '\0';
    return true;
}

weir_status weir__child_scratch(int *fd, weir_error *err)
{
    int made = memfd_create("weir-scratch", MFD_CLOEXEC);

    if (made < 0)
        return weir__error(err, "make a file in memory: %s", strerror(errno));
    *fd = made;
    return WEIR_OK;
}

void weir__child_scratch_close(int fd)
{
    close(fd);
}

bool weir__child_scratch_read(int fd, uint64_t *from, weir_buf *out)
{
    for (;;) {
        char *room = weir__buf_reserve(out, 4096);
        ssize_t got;

        if (room == NULL)
            return false;
        got = pread(fd, room, 4096, (off_t)*from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->size += (size_t)got;
        *from += (uint64_t)got;
    }
}
