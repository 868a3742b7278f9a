/* sdk: the program around a connector: arguments, exit codes, signals, the last word of a crash. */
#include "support.h"

#include <assert.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/source.h>

#include "rpc/client.h"
#include "wire/v2.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static weir_status update(weir_call *call, weir_sync *out)
{
    (void)call;
    return weir_checkpoint(out);
}

static const weir_source fine = { .name = "program-test", .update = update };
static const weir_source broken = { .name = "program-test" };

struct twice {
    const char *a;
    const char *b;
};
static const weir_source twice = {
    .name = "program-test",
    .update = update,
    .form = WEIR_FORM(struct twice, WEIR_TEXT(struct twice, a, .label = "A", .name = "same"),
                      WEIR_TEXT(struct twice, b, .label = "B", .name = "same")),
};

/* A connector in a process of its own; its standard output is a pipe. */
typedef struct process {
    pid_t id;
    int out;
    char text[8192];
} process;

static void start(process *p, const weir_source *source, char *const *argv)
{
    int ends[2];
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    p->id = fork();
    assert_true(p->id >= 0);
    if (p->id == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(ends[1], 1);
        dup2(null, 2);
        exit(weir_source_main(argc, (char **)argv, source));
    }
    close(ends[1]);
    p->out = ends[0];
    p->text[0] = '\0';
}

/* Reads until the line ends (or the process does); the text so far. */
static const char *read_line(process *p)
{
    size_t size = 0;

    while (size + 1 < sizeof p->text && read(p->out, p->text + size, 1) == 1)
        if (p->text[size++] == '\n')
            break;
    p->text[size] = '\0';
    return p->text;
}

static int end_of(process *p)
{
    int status;

    while (read(p->out, p->text, sizeof p->text) > 0)
        continue;
    close(p->out);
    assert_int_equal(waitpid(p->id, &status, 0), p->id);
    return status;
}

static void expect_exit(const weir_source *source, char *const *argv, int code, const char *text)
{
    process p;
    int status;

    start(&p, source, argv);
    assert_non_null(strstr(read_line(&p), text));
    status = end_of(&p);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static void arguments_and_exit_codes(void **state)
{
    (void)state;
    expect_exit(&fine, (char *[]){ "x", "--help", NULL }, 0, "x: the source 'program-test'");
    expect_exit(&fine, (char *[]){ "x", "--host", "nowhere.invalid", "--port", "0", NULL }, 1,
                "nowhere.invalid");
    expect_exit(&fine, (char *[]){ "x", "--version", NULL }, 0, "program-test (Weir " WEIR_VERSION ")");
    expect_exit(&fine, (char *[]){ "x", "--port", NULL }, 2, "");
    expect_exit(&fine, (char *[]){ "x", "--port", "65536", NULL }, 2, "");
    expect_exit(&fine, (char *[]){ "x", "--port=-1", NULL }, 2, "");
    expect_exit(&fine, (char *[]){ "x", "--portal=1", NULL }, 2, "");
    expect_exit(&fine, (char *[]){ "x", "--socket", NULL }, 2, "");
    expect_exit(&fine, (char *[]){ "x", "stray", NULL }, 2, "");
    expect_exit(&fine, (char *[]){ "x", "--socket", "/nowhere/at/all", NULL }, 1, "cannot serve");
    expect_exit(&broken, (char *[]){ "x", "--port", "0", NULL }, 1, "has no .update: every source needs one");
}

static void expect_stop(int number)
{
    char *argv[] = { "x", "--port=0", NULL };
    process p;
    int port = 0;
    int status;
    json_t *line;

    start(&p, &fine, argv);
    line = json_loads(read_line(&p), 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "INFO");
    assert_int_equal(
        sscanf(json_string_value(json_object_get(line, "message")), "listening on port %d", &port), 1);
    assert_in_range(port, 1, 65535);
    json_decref(line);
    assert_int_equal(kill(p.id, number), 0);
    assert_non_null(strstr(read_line(&p), "stopping"));
    status = end_of(&p);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* R-RPC-06 */
static void both_signals_stop_it_well(void **state)
{
    (void)state;
    expect_stop(SIGTERM);
    expect_stop(SIGINT);
}

static void a_socket_is_there_while_it_serves(void **state)
{
    char folder[] = "/tmp/weir-sdk-test-XXXXXX";
    char path[64];
    char wanted[128];
    process p;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(wanted, sizeof wanted, "\"message\":\"listening on '%s'\"", path);
    start(&p, &fine, (char *[]){ "x", "--socket", path, NULL });
    assert_non_null(strstr(read_line(&p), wanted));
    assert_int_equal(access(path, F_OK), 0);
    kill(p.id, SIGTERM);
    end_of(&p);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void expect_last_word(process *p, int number, const char *name)
{
    char wanted[64];
    json_t *line = json_loads(read_line(p), 0, NULL);
    int status;

    snprintf(wanted, sizeof wanted, "the connector crashed: %s", name);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "SEVERE");
    assert_string_equal(json_string_value(json_object_get(line, "message")), wanted);
    assert_string_equal(json_string_value(json_object_get(line, "message-origin")), "sdk_connector");
    json_decref(line);
    status = end_of(p);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
}

static void a_crash_leaves_a_last_word(void **state)
{
    const struct {
        int number;
        const char *name;
    } cases[] = { { SIGSEGV, "SIGSEGV" },
                  { SIGABRT, "SIGABRT" },
                  { SIGBUS, "SIGBUS" },
                  { SIGFPE, "SIGFPE" },
                  { SIGILL, "SIGILL" } };
    process p;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases && !SANITIZED; i++) { /* there the sanitizer speaks */
        start(&p, &fine, (char *[]){ "x", "--port", "0", NULL });
        read_line(&p);
        kill(p.id, cases[i].number);
        expect_last_word(&p, cases[i].number, cases[i].name);
    }
}

/* --- crashes of a handler, in its thread --- */

static weir_status write_nowhere(weir_call *call)
{
    volatile int *volatile nowhere = NULL;

    (void)call;
    *nowhere = 1;
    return WEIR_OK;
}

static weir_status divide_by_nothing(weir_call *call)
{
    volatile int nothing = 0;
    volatile int result = 1;

    (void)call;
    result = result / nothing;
    if (result != 0) /* some processors do not mind */
        raise(SIGFPE);
    return WEIR_OK;
}

static weir_status give_up(weir_call *call)
{
    (void)call;
    abort();
}

static weir_status use_all_stack(weir_call *call)
{
    volatile char frame[4096];

    memset((char *)frame, 1, sizeof frame);
    return frame[100] == 1 ? use_all_stack(call) + frame[200] : WEIR_OK;
}

/* A page of a file that is not there any more. */
static weir_status read_what_is_gone(weir_call *call)
{
    FILE *file = tmpfile();
    volatile char *page;
    char byte;

    (void)call;
    assert(file != NULL && ftruncate(fileno(file), 4096) == 0);
    page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
    assert(page != MAP_FAILED && ftruncate(fileno(file), 0) == 0);
    byte = page[100];
    return byte == 0 ? WEIR_OK : WEIR_FAILED;
}

static const weir_setup_test crashes[] = {
    { "nowhere", NULL, write_nowhere }, { "nothing", NULL, divide_by_nothing }, { "abort", NULL, give_up },
    { "stack", NULL, use_all_stack },   { "gone", NULL, read_what_is_gone },    { NULL, NULL, NULL },
};
static const weir_source crashing = { .name = "program-test", .update = update, .tests = crashes };

static void ask_to_crash(const char *path, const char *how)
{
    char target[128];
    weir_rpc_client_options options = { .target = target };
    weir_rpc_call_options method = { .method = V2_SOURCE_CONNECTOR_TEST_PATH,
                                     .kind = WEIR_RPC_UNARY,
                                     .timeout_ms = 60000 };
    const v2_test_request request = { .name = { how, strlen(how) } };
    weir_rpc_client *client = NULL;
    weir_rpc_call *call = NULL;
    weir_bytes reply;
    weir_buf out;

    snprintf(target, sizeof target, "unix:%s", path);
    weir__buf_init(&out, 1024);
    assert_int_equal(weir__rpc_client_open(&options, &client, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_client_connect(client, 5000, NULL), WEIR_OK);
    assert_int_equal(weir__codec_encode(&weir__v2_test_request, &request, &out, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_call_open(client, &method, &call, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, weir__buf_bytes(&out), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    assert_int_not_equal(weir__rpc_recv(call, &reply, NULL), WEIR_ITEM);
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__buf_clear(&out);
}

static void a_handler_that_crashes_leaves_a_last_word(void **state)
{
    const struct {
        const char *how;
        int number;
        const char *name;
    } cases[] = { { "nowhere", SIGSEGV, "SIGSEGV" },
                  { "nothing", SIGFPE, "SIGFPE" },
                  { "abort", SIGABRT, "SIGABRT" },
                  { "stack", SIGSEGV, "SIGSEGV" },
                  { "gone", SIGBUS, "SIGBUS" } };
    char folder[] = "/tmp/weir-sdk-test-XXXXXX";
    char path[64];
    process p;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases && !SANITIZED; i++) {
        start(&p, &crashing, (char *[]){ "x", "--socket", path, NULL });
        read_line(&p);
        ask_to_crash(path, cases[i].how);
        expect_last_word(&p, cases[i].number, cases[i].name);
    }
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void the_form_is_printed_for_documentation(void **state)
{
    (void)state;
    expect_exit(&crashing, (char *[]){ "x", "--form", NULL }, 0, "{\n");
    expect_exit(&crashing, (char *[]){ "x", "--form=json", NULL }, 0, "{\n");
    expect_exit(&crashing, (char *[]){ "x", "--form=markdown", NULL }, 0,
                "## Configuration of the source `program-test`\n");
    expect_exit(&crashing, (char *[]){ "x", "--form=html", NULL }, 2, "");
    expect_exit(&twice, (char *[]){ "x", "--form", NULL }, 1, ""); /* nor is a form that is not served */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_exit_codes),
        cmocka_unit_test(both_signals_stop_it_well),
        cmocka_unit_test(a_socket_is_there_while_it_serves),
        cmocka_unit_test(a_crash_leaves_a_last_word),
        cmocka_unit_test(a_handler_that_crashes_leaves_a_last_word),
        cmocka_unit_test(the_form_is_printed_for_documentation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
