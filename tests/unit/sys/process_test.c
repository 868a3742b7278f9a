/* sys/process: children start, talk, end, and never outlive the one who wanted them. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/process.h"

#define SECOND INT64_C(1000000000)

static weir_process *spawn(const char *script, const int *kept, size_t kept_count)
{
    const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    const char *const environment[] = { "WEIR_TEST=set", NULL };
    weir_process_options options = {
        .argv = argv, .environment = environment, .kept = kept, .kept_count = kept_count, .cpu = -1
    };
    weir_process *process = NULL;
    weir_error err;

    if (weir__process_spawn(&options, &process, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return process;
}

/* Reads until nobody writes any more. */
static void read_all(weir_process *process, char *out, size_t size)
{
    size_t at = 0;
    size_t got;
    weir_status status;

    while ((status = weir__process_read(process, out + at, size - 1 - at, weir__clock_ns() + 10 * SECOND,
                                        &got)) == WEIR_ITEM)
        at += got;
    assert_int_equal(status, WEIR_OK);
    out[at] = '\0';
}

static void output_and_exit_code_come_back(void **state)
{
    weir_process *process = spawn("echo $WEIR_TEST; echo oops >&2; read x || echo no input; exit 3", NULL, 0);
    weir_process_end end;
    char text[256];

    (void)state;
    read_all(process, text, sizeof text);
    assert_string_equal(text, "set\noops\nno input\n");
    assert_int_equal(weir__process_wait(process, weir__clock_ns() + 10 * SECOND, &end), WEIR_OK);
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.code, 3);
    weir__process_end_text(end, text);
    assert_string_equal(text, "exited with code 3");
    weir__process_close(process);
}

/* What nice(1) says of a child that is to be so much less urgent. */
static int niceness(int by)
{
    const char *const argv[] = { "nice", NULL };
    weir_process_options options = { .argv = argv, .cpu = -1, .nice = by };
    weir_process *process = NULL;
    weir_error err;
    char text[32];

    if (weir__process_spawn(&options, &process, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    read_all(process, text, sizeof text);
    weir__process_close(process);
    return (int)strtol(text, NULL, 10);
}

static void *lower_this_thread(void *context)
{
    int *found = context;

    weir__thread_lower(4);
    *found = niceness(3);
    return NULL;
}

/* Each of them adds, up to 19, and neither touches other threads. */
static void urgency_is_lowered_where_it_is_asked_for(void **state)
{
    int before = niceness(0), found = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(niceness(3), before + 3 < 19 ? before + 3 : 19);
    assert_int_equal(pthread_create(&thread, NULL, lower_this_thread, &found), 0);
    pthread_join(thread, NULL);
    assert_int_equal(found, before + 7 < 19 ? before + 7 : 19);
    assert_int_equal(niceness(0), before);
}

static void a_signal_is_named(void **state)
{
    weir_process *process = spawn("sleep 60", NULL, 0);
    weir_process_end end;
    char text[WEIR_PROCESS_END_SIZE];

    (void)state;
    assert_int_equal(weir__process_wait(process, 0, &end), WEIR_ITEM);
    assert_int_equal(weir__process_wait(process, weir__clock_ns() + SECOND / 50, &end), WEIR_ITEM);
    weir__process_signal(process, SIGKILL);
    assert_int_equal(weir__process_wait(process, weir__clock_ns() + 10 * SECOND, &end), WEIR_OK);
    weir__process_end_text(end, text);
    assert_string_equal(text, "was killed by signal 9 (Killed)");
    assert_int_equal(weir__process_wait(process, 0, &end), WEIR_OK); /* still known */
    weir__process_close(process);
}

static void a_program_that_is_not_there_is_named(void **state)
{
    const char *const argv[] = { "/no/such/program", NULL };
    weir_process_options options = { .argv = argv, .cpu = -1 };
    weir_process *process = NULL;
    weir_error err;

    (void)state;
    assert_int_equal(weir__process_spawn(&options, &process, &err), WEIR_FAILED);
    assert_string_equal(err.text, "cannot run '/no/such/program': No such file or directory");
    assert_null(process);
}

static void a_program_of_this_folder_is_told_how_to_be_named(void **state)
{
    char folder[] = "/tmp/weir-process-XXXXXX";
    char *before = getcwd(NULL, 0);
    weir_error err;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    fd = open("weir-no-such", O_CREAT | O_WRONLY, 0700);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(weir__process_find("weir-no-such", &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'./weir-no-such'"));
    assert_int_equal(weir__process_find("./weir-no-such", &err), WEIR_OK);
    unlink("weir-no-such");
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rmdir(folder), 0);
    free(before);
}

/* True when the process is gone within ten seconds. */
static bool is_gone(pid_t id)
{
    for (int i = 0; i < 500; i++) {
        if (kill(id, 0) != 0 && errno == ESRCH)
            return true;
        weir__clock_sleep(SECOND / 50);
    }
    return false;
}

static void closing_ends_the_whole_group(void **state)
{
    weir_process *process = spawn("sleep 60 & echo $!; wait", NULL, 0);
    char text[32];
    size_t got = 0;
    pid_t id;

    (void)state;
    assert_int_equal(weir__process_read(process, text, sizeof text - 1, weir__clock_ns() + 10 * SECOND, &got),
                     WEIR_ITEM);
    text[got] = '\0';
    id = (pid_t)strtol(text, NULL, 10);
    assert_int_equal(kill(id, 0), 0);
    weir__process_close(process);
    assert_true(is_gone(id));
}

/* An engine that is killed leaves no connector behind. */
static void children_die_with_their_parent(void **state)
{
    int pipes[2];
    pid_t parent;
    int grandchild = 0;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    parent = fork();
    if (parent == 0) {
        int id = weir__process_id(spawn("exec sleep 60", NULL, 0));

        if (write(pipes[1], &id, sizeof id) != sizeof id)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(pipes[0], &grandchild, sizeof grandchild), sizeof grandchild);
    assert_int_equal(kill(grandchild, 0), 0);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_true(is_gone(grandchild));
    close(pipes[0]);
    close(pipes[1]);
}

static void only_chosen_descriptors_are_inherited(void **state)
{
    int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    weir_process *process;
    char script[128];
    char text[64];

    (void)state;
    snprintf(script, sizeof script,
             "[ -e /proc/self/fd/%d ] && echo kept; [ -e /proc/self/fd/%d ] || echo closed", kept, other);
    process = spawn(script, &kept, 1);
    read_all(process, text, sizeof text);
    assert_string_equal(text, "kept\nclosed\n");
    assert_true(fcntl(kept, F_GETFD) & FD_CLOEXEC);
    weir__process_close(process);
    close(kept);
    close(other);
}

static void signals_are_blocked_here_and_not_in_children(void **state)
{
    int fd = -1;
    weir_process *process;
    weir_process_end end;
    weir_error err;

    (void)state;
    assert_int_equal(weir__process_signals_open(&fd, &err), WEIR_OK);
    assert_int_equal(weir__process_signals_take(fd), 0);
    raise(SIGTERM);
    assert_int_equal(weir__process_signals_take(fd), SIGTERM);
    process = spawn("sleep 60", NULL, 0);
    weir__process_signal(process, SIGTERM);
    assert_int_equal(weir__process_wait(process, weir__clock_ns() + 10 * SECOND, &end), WEIR_OK);
    assert_int_equal(end.signal, SIGTERM);
    weir__process_close(process);
    close(fd);
}

static void memory_is_measured(void **state)
{
    size_t size = (size_t)64 << 20;
    size_t before = weir__process_rss();
    volatile char *block = malloc(size); /* volatile: the pages must be touched even when nobody reads them */

    (void)state;
    for (size_t i = 0; i < size; i += 4096)
        block[i] = 1;
    assert_true(weir__process_rss() >= before + size / 2);
    assert_true(weir__process_rss_peak() >= weir__process_rss() / 2);
    free((char *)block);
}

static weir_status spawn_scenario(void *context)
{
    const char *const argv[] = { "/bin/true", NULL };
    weir_process_options options = { .argv = argv, .cpu = -1 };
    weir_process *process;
    weir_status status = weir__process_spawn(&options, &process, NULL);

    (void)context;
    if (status == WEIR_OK)
        weir__process_close(process);
    return status;
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(spawn_scenario, NULL);
}

/* As execvp would look: by path, else along PATH; and not everything there is a program. */
static void programs_are_found_before_they_run(void **state)
{
    weir_error err;

    (void)state;
    assert_int_equal(weir__process_find("/bin/sh", &err), WEIR_OK);
    assert_int_equal(weir__process_find("sh", &err), WEIR_OK);
    assert_int_equal(weir__process_find("no-such-program-here", &err), WEIR_FAILED);
    assert_int_equal(weir__process_find("/nowhere/sh", &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'/nowhere/sh': No such file"));
    assert_int_equal(weir__process_find("/etc", &err), WEIR_FAILED);
    assert_int_equal(weir__process_find("/etc/passwd", &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "denied"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_found_before_they_run),
        cmocka_unit_test(output_and_exit_code_come_back),
        cmocka_unit_test(urgency_is_lowered_where_it_is_asked_for),
        cmocka_unit_test(a_signal_is_named),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(a_program_of_this_folder_is_told_how_to_be_named),
        cmocka_unit_test(closing_ends_the_whole_group),
        cmocka_unit_test(children_die_with_their_parent),
        cmocka_unit_test(only_chosen_descriptors_are_inherited),
        cmocka_unit_test(signals_are_blocked_here_and_not_in_children),
        cmocka_unit_test(memory_is_measured),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
