/*
 * sys/process: fork and exec, with a pidfd so that waiting has a deadline and never meets a recycled id.
 *
 * Between fork and exec only calls that are safe there are made; a failure travels back as an errno through a
 * pipe that exec closes.
 */
#include "sys/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

static_assert(WEIR_PROCESS_KILL == SIGKILL && WEIR_PROCESS_TERMINATE == SIGTERM, "signals by their numbers");

struct weir_process {
    pid_t id;
    pid_t group; /* its own, or that of its guard */
    int pidfd;
    int output;
    int lifeline;        /* of a guard: our end of its pipe, which nobody writes to; -1 for others */
    weir_process *guard; /* NULL: none */
    bool ended;
    weir_process_end end;
};

/* What the child needs, made before fork because the child may not allocate. */
typedef struct launch {
    const weir_process_options *options;
    char **environment;
    pid_t parent;
    pid_t group; /* to join; 0: one of its own */
    bool outlives;
    int output; /* the child's end of the pipe */
    int report; /* errno of a failed exec goes here */
} launch;

static char **join_environment(const char *const *added)
{
    size_t count = 0;
    size_t more = 0;
    char **all;

    while (environ != NULL && environ[count] != NULL)
        count++;
    while (added != NULL && added[more] != NULL)
        more++;
    all = weir__calloc(count + more + 1, sizeof *all);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < more; i++)
        all[i] = (char *)(uintptr_t)added[i];
    for (size_t i = 0; i < count; i++)
        all[more + i] = environ[i];
    return all;
}

static void report(int fd, int error)
{
    ssize_t written = write(fd, &error, sizeof error);

    (void)written;
    _exit(127);
}

static void bind_cpu(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* Linux has it per thread. A system that does not want it goes on as it was. */
void weir__thread_lower(int by)
{
    id_t self = (id_t)syscall(SYS_gettid);
    int now;

    errno = 0;
    now = getpriority(PRIO_PROCESS, self);
    if (by > 0 && errno == 0)
        (void)setpriority(PRIO_PROCESS, self, now + by);
}

/* Runs in the child. */
static void run_child(const launch *plan)
{
    const weir_process_options *options = plan->options;
    sigset_t none;
    int input;

    if (setpgid(0, plan->group) != 0 && plan->group != 0)
        report(plan->report, errno);
    if (!plan->outlives)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != plan->parent)
        _exit(127); /* the parent died before the line above */
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, 0) < 0 || dup2(plan->output, 1) < 0 || dup2(plan->output, 2) < 0)
        report(plan->report, errno);
    for (size_t i = 0; i < options->kept_count; i++)
        fcntl(options->kept[i], F_SETFD, 0);
    if (options->cpu >= 0)
        bind_cpu(options->cpu);
    weir__thread_lower(options->nice);
    execvpe(options->argv[0], (char *const *)(uintptr_t)options->argv, plan->environment);
    report(plan->report, errno);
}

static void close_pair(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* The errno of a failed exec; 0 when the program runs. */
static int read_report(int fd)
{
    int error = 0;
    ssize_t got;

    do
        got = read(fd, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

/* 0 when the file can be executed, else why not. */
static int try_program(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return errno;
    if (S_ISDIR(info.st_mode))
        return EISDIR;
    return access(path, X_OK) == 0 ? 0 : errno;
}

weir_status weir__process_find(const char *program, weir_error *err)
{
    const char *folder = getenv("PATH");
    int number = ENOENT;
    char path[4096];

    if (strchr(program, '/') != NULL) {
        number = try_program(program);
        folder = NULL;
    }
    while (folder != NULL && number != 0) {
        size_t size = strcspn(folder, ":");
        int length = snprintf(path, sizeof path, "%.*s%s%s", (int)size, folder, size > 0 ? "/" : "", program);

        if (length > 0 && (size_t)length < sizeof path)
            number = try_program(path) == 0 ? 0 : number;
        folder = folder[size] == ':' ? folder + size + 1 : NULL;
    }
    if (number == 0)
        return WEIR_OK;
    if (strchr(program, '/') == NULL && try_program(program) == 0)
        return weir__error(err, "cannot run '%s': it is not on the PATH; the one in this folder is './%s'",
                           program, program);
    return weir__error(err, "cannot run '%s': %s", program, strerror(number));
}

/* `guard`, which may be NULL, leads the group, and is the process's from WEIR_OK on. */
static weir_status spawn(const weir_process_options *options, weir_process *guard, bool outlives,
                         weir_process **out, weir_error *err)
{
    const char *program = options->argv[0];
    weir_process *process = weir__calloc(1, sizeof *process);
    launch plan = { .options = options, .environment = join_environment(options->environment) };
    int output[2] = { -1, -1 };
    int failure[2] = { -1, -1 };
    weir_status status = WEIR_FAILED;
    int error;

    if (process == NULL || plan.environment == NULL) {
        weir__error(err, "out of memory starting '%s'", program);
        goto out;
    }
    process->pidfd = -1;
    process->output = -1;
    process->lifeline = -1;
    process->ended = true; /* nothing to kill yet */
    if (pipe2(output, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0) {
        weir__error(err, "start '%s': pipe: %s", program, strerror(errno));
        goto out;
    }
    plan.parent = getpid();
    plan.group = guard != NULL ? guard->id : 0;
    plan.outlives = outlives;
    plan.output = output[1];
    plan.report = failure[1];
    process->id = fork();
    if (process->id == 0)
        run_child(&plan);
    if (process->id < 0) {
        weir__error(err, "start '%s': fork: %s", program, strerror(errno));
        goto out;
    }
    process->ended = false;
    process->group = guard != NULL ? guard->id : process->id;
    setpgid(process->id, process->group); /* also here, so that a signal sent at once finds the group */
    close(failure[1]);
    failure[1] = -1;
    error = read_report(failure[0]);
    process->pidfd = pidfd_open(process->id, 0);
    if (error != 0 || process->pidfd < 0) {
        weir__error(err, "cannot run '%s': %s", program, strerror(error ? error : errno));
        goto out;
    }
    process->output = output[0];
    output[0] = -1;
    fcntl(process->output, F_SETFL, O_NONBLOCK);
    process->guard = guard;
    *out = process;
    process = NULL;
    status = WEIR_OK;
out:
    weir__process_close(process);
    weir__free(plan.environment);
    close_pair(output);
    close_pair(failure);
    return status;
}

/* It leads a group, and kills it when nobody holds the other end of its pipe any more. */
static weir_status spawn_guard(weir_process **out, weir_error *err)
{
    int ends[2] = { -1, -1 };
    char script[96];
    const char *const argv[] = { "/bin/sh", "-c", script, "weir-guard", NULL };
    const weir_process_options options = { .argv = argv, .kept = &ends[0], .kept_count = 1, .cpu = -1 };
    weir_status status;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return weir__error(err, "guard a process: pipe: %s", strerror(errno));
    snprintf(script, sizeof script, "read _ </proc/self/fd/%d; kill -KILL 0", ends[0]);
    status = spawn(&options, NULL, true, out, err);
    if (status == WEIR_OK) {
        (*out)->lifeline = ends[1];
        ends[1] = -1;
    }
    close_pair(ends);
    return status;
}

weir_status weir__process_spawn(const weir_process_options *options, weir_process **out, weir_error *err)
{
    weir_process *guard = NULL;
    weir_status status = options->guarded ? spawn_guard(&guard, err) : WEIR_OK;

    if (status == WEIR_OK)
        status = spawn(options, guard, false, out, err);
    if (status != WEIR_OK)
        weir__process_close(guard);
    return status;
}

static void keep_end(weir_process *process, const siginfo_t *info)
{
    process->ended = true;
    if (info->si_code == CLD_EXITED)
        process->end.code = info->si_status;
    else
        process->end.signal = info->si_status;
}

void weir__process_close(weir_process *process)
{
    siginfo_t info;

    if (process == NULL)
        return;
    if (!process->ended) {
        weir__process_signal(process, SIGKILL);
        while (waitid(P_PID, (id_t)process->id, &info, WEXITED) < 0 && errno == EINTR)
            continue;
    } else if (process->id > 0) {
        kill(-process->group, SIGKILL); /* what the child left behind in its group */
    }
    if (process->pidfd >= 0)
        close(process->pidfd);
    if (process->output >= 0)
        close(process->output);
    if (process->lifeline >= 0)
        close(process->lifeline);
    weir__process_close(process->guard); /* last: the group's number is taken while it is there */
    weir__free(process);
}

int weir__process_id(const weir_process *process)
{
    return (int)process->id;
}

void weir__process_signal(weir_process *process, int signal)
{
    if (process->id > 0)
        kill(-process->group, signal);
}

/* Milliseconds from now to the deadline, for poll; -1 for no end. */
static int poll_timeout(int64_t deadline_ns)
{
    struct timespec now;
    int64_t left_ns;

    if (deadline_ns == INT64_MAX)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left_ns = deadline_ns - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    if (left_ns <= 0)
        return 0;
    return left_ns > (int64_t)3600 * 1000000000 ? 3600000 : (int)(left_ns / 1000000) + 1;
}

/* True when `fd` is readable before the deadline. */
static bool wait_readable(int fd, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd one = { .fd = fd, .events = POLLIN };
        int timeout = poll_timeout(deadline_ns);
        int count = poll(&one, 1, timeout);

        if (count > 0)
            return true;
        if ((count < 0 && errno != EINTR) || timeout == 0)
            return false;
    }
}

weir_status weir__process_wait(weir_process *process, int64_t deadline_ns, weir_process_end *end)
{
    siginfo_t info = { 0 };

    if (!process->ended) {
        if (!wait_readable(process->pidfd, deadline_ns))
            return WEIR_ITEM;
        if (waitid(P_PID, (id_t)process->id, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
            return WEIR_ITEM;
        keep_end(process, &info);
    }
    *end = process->end;
    return WEIR_OK;
}

void weir__process_end_text(weir_process_end end, char out[WEIR_PROCESS_END_SIZE])
{
    const char *name = end.signal ? sigdescr_np(end.signal) : NULL;

    if (end.signal == 0)
        snprintf(out, WEIR_PROCESS_END_SIZE, "exited with code %d", end.code);
    else
        snprintf(out, WEIR_PROCESS_END_SIZE, "was killed by signal %d (%s)", end.signal,
                 name ? name : "unknown");
}

weir_status weir__process_read(weir_process *process, void *out, size_t size, int64_t deadline_ns,
                               size_t *got)
{
    for (;;) {
        ssize_t count = read(process->output, out, size);

        if (count > 0) {
            *got = (size_t)count;
            return WEIR_ITEM;
        }
        if (count == 0)
            return WEIR_OK;
        if (errno != EAGAIN && errno != EINTR)
            return WEIR_OK;
        if (errno == EAGAIN && !wait_readable(process->output, deadline_ns))
            return WEIR_FAILED;
    }
}

/* The beginning of a file of /proc as text, "" when it cannot be read. */
static void read_proc(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
}

size_t weir__process_rss(void)
{
    char text[128];
    char *at;

    read_proc("/proc/self/statm", text, sizeof text);
    at = strchr(text, ' ');
    return at ? strtoul(at, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* VmHWM and not getrusage: the latter also remembers the program that called exec. */
size_t weir__process_rss_peak(void)
{
    char text[4096];
    char *at;

    read_proc("/proc/self/status", text, sizeof text);
    at = strstr(text, "VmHWM:");
    return at ? strtoul(at + strlen("VmHWM:"), NULL, 10) * 1024 : 0;
}

weir_status weir__process_signals_open(int *fd, weir_error *err)
{
    sigset_t set;
    int made;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is an error of write, like a full disk */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
        (made = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return weir__error(err, "watch signals: %s", strerror(errno));
    *fd = made;
    return WEIR_OK;
}

int weir__process_signals_take(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
