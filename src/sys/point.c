/*
 * sys/point: fault points (base/point.h), in builds with WEIR_FAULT_POINTS only.
 *
 *   WEIR_POINT=NAME:N:ACTION   what happens when a process reaches point NAME for the N-th time (from 1)
 *       kill                   the process gets SIGKILL
 *       kill-source            the processes of this session whose program is called source… get it; likewise
 *                              kill-destination, kill-weir, and kill-all for all three
 *       eio, enospc            the place fails as the system would; at points that can fail only (points.def)
 *       delay-MS               the process waits
 *   WEIR_POINT_TRACE=FILE      every point that is reached is a line of FILE: "PROGRAM NAME"
 *
 * The variables go to the connectors with the environment, and each process counts for itself. A process that
 * kills another one waits until it is dead, so that what comes after the point meets a dead peer.
 */
#include "base/point.h"

#ifdef WEIR_FAULT_POINTS
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

#define NAME_SIZE 128
#define DEATH_NS (2 * INT64_C(1000000000)) /* from SIGKILL to a process being gone */
#define LOOK_NS 200000

static const char *const names[] = {
#define WEIR_POINT_NAMED(name) name,
#define WEIR_POINT_NAMED_FAILS(name) name,
#include "sys/points.def"
};

static struct {
    pthread_mutex_t lock;
    bool read; /* the environment */
    char name[NAME_SIZE];
    long number;
    long reached;
    const char *action; /* NULL: none */
    int trace;          /* -1: none */
} points = { .lock = PTHREAD_MUTEX_INITIALIZER, .trace = -1 };

static void refuse(const char *why, const char *what)
{
    fprintf(stderr, "WEIR_POINT: %s '%s'\n", why, what);
    _exit(99);
}

static void read_environment(void)
{
    const char *plan = getenv("WEIR_POINT");
    const char *trace = getenv("WEIR_POINT_TRACE");
    const char *colon = plan ? strchr(plan, ':') : NULL;
    bool known = false;
    char *end;

    points.read = true;
    if (trace != NULL)
        points.trace = open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (plan == NULL)
        return;
    if (colon == NULL || (size_t)(colon - plan) >= NAME_SIZE)
        refuse("expected NAME:N:ACTION, got", plan);
    memcpy(points.name, plan, (size_t)(colon - plan));
    points.number = strtol(colon + 1, &end, 10);
    if (points.number < 1 || *end != ':')
        refuse("expected NAME:N:ACTION, got", plan);
    points.action = end + 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        known = known || strcmp(names[i], points.name) == 0;
    if (!known)
        refuse("there is no point", points.name);
}

/* --- victims --- */

static bool is_victim(pid_t pid, const char *victim)
{
    char path[64];
    char program[64] = "";
    FILE *file;

    if (getsid(pid) != getsid(0))
        return false;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(program, sizeof program, file) == NULL)
        program[0] = '\0';
    fclose(file);
    if (strcmp(victim, "all") == 0)
        return strncmp(program, "source", 6) == 0 || strncmp(program, "destination", 11) == 0 ||
               strcmp(program, "weir\n") == 0;
    return strncmp(program, victim, strlen(victim)) == 0;
}

/* Gone, or waiting to be reaped. */
static bool is_dead(pid_t pid)
{
    char path[64];
    char text[256] = "";
    FILE *file;
    const char *state;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return true;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    state = strrchr(text, ')');
    return state == NULL || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

static void kill_others(const char *victim)
{
    DIR *all = opendir("/proc");
    struct dirent *entry;
    pid_t hit[16];
    size_t count = 0;

    while (all != NULL && (entry = readdir(all)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && pid != getpid() && count < sizeof hit / sizeof *hit && is_victim(pid, victim) &&
            kill(pid, SIGKILL) == 0)
            hit[count++] = pid;
    }
    if (all != NULL)
        closedir(all);
    for (size_t i = 0; i < count; i++)
        for (int64_t until = weir__clock_ns() + DEATH_NS; !is_dead(hit[i]) && weir__clock_ns() < until;)
            weir__clock_sleep(LOOK_NS);
}

static void kill_victims(const char *victim)
{
    bool self = victim[0] == '\0' || is_victim(getpid(), victim);

    if (victim[0] != '\0')
        kill_others(victim);
    if (self)
        raise(SIGKILL);
}

/* --- points --- */

/* The action if it is this point's turn; NULL otherwise. */
static const char *reach(const char *before, const char *what, const char *after)
{
    const char *action = NULL;
    char line[2 * NAME_SIZE];
    char name[NAME_SIZE];
    int size;

    snprintf(name, sizeof name, "%s%s%s%s%s", before, what ? "." : "", what ? what : "", after ? "." : "",
             after ? after : "");
    pthread_mutex_lock(&points.lock);
    if (!points.read)
        read_environment();
    if (points.trace >= 0) {
        size = snprintf(line, sizeof line, "%s %s\n", program_invocation_short_name, name);
        if (write(points.trace, line, (size_t)size) != size)
            refuse("cannot write the trace at", name);
    }
    if (points.action != NULL && strcmp(name, points.name) == 0 && ++points.reached == points.number)
        action = points.action;
    pthread_mutex_unlock(&points.lock);
    return action;
}

/* Does what needs no error; false when the action is an error. */
static bool act(const char *action)
{
    if (action == NULL)
        return true;
    if (strncmp(action, "kill-", 5) == 0)
        kill_victims(action + 5);
    else if (strcmp(action, "kill") == 0)
        kill_victims("");
    else if (strncmp(action, "delay-", 6) == 0)
        weir__clock_sleep(strtol(action + 6, NULL, 10) * 1000000);
    else
        return false;
    return true;
}

void weir__point(const char *before, const char *what, const char *after)
{
    const char *action = reach(before, what, after);

    if (!act(action))
        refuse("this point cannot do", action);
}

weir_status weir__point_fails(const char *before, const char *what, const char *after, weir_error *err)
{
    const char *action = reach(before, what, after);

    if (act(action))
        return WEIR_OK;
    if (strcmp(action, "eio") == 0)
        return weir__error(err, "fault point '%s': %s", before, strerror(EIO));
    if (strcmp(action, "enospc") == 0)
        return weir__error(err, "fault point '%s': the disk is full; free some space and run again", before);
    refuse("no action", action);
    return WEIR_OK;
}

const char *weir__point_method(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}
#endif
