/*
 * sdk/program: parse, listen, say so, wait for a signal, drain.
 */
#include "sdk/program.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rpc/rpc_limits.h"
#include "sdk/form_text.h"
#include "sdk/log.h"
#include "sdk/options.h"
#include "sys/signal.h"

#define EXIT_STOPPED 0
#define EXIT_CANNOT_SERVE 1
#define EXIT_USAGE 2

/* Writes what a form_text function makes of the form to standard output. */
static int print_form(const weir_program *p,
                      weir_status (*write)(const weir_form_about *about, weir_buf *out, weir_error *err))
{
    const weir_form_about about = { .name = p->name, .kind = p->kind, .form = p->form, .tests = p->tests };
    weir_error err;
    weir_buf out;
    int code = EXIT_STOPPED;

    weir__buf_init(&out, WEIR_CONFIG_SIZE_MAX);
    if (weir__form_check(p->form, &err) != WEIR_OK || write(&about, &out, &err) != WEIR_OK) {
        fprintf(stderr, "%s: %s\n", p->name, err.text);
        code = EXIT_CANNOT_SERVE;
    } else if (out.size > 0 && fwrite(out.data, 1, out.size, stdout) != out.size) {
        code = EXIT_CANNOT_SERVE;
    }
    weir__buf_clear(&out);
    return fflush(stdout) == 0 ? code : EXIT_CANNOT_SERVE;
}

static int print_help(const weir_program *p, const char *file)
{
    printf("%s: the %s '%s', a gRPC server that speaks the Partner SDK v2\n"
           "\n"
           "usage: %s [--port N] [--host ADDRESS] [--socket PATH]\n"
           "       %s --form[=json|markdown]\n"
           "\n"
           "  --port N       listen on TCP port N, IPv6 and IPv4 (default %d); 0 chooses a free one\n"
           "  --host ADDRESS listen on that address only, such as 127.0.0.1; on every address if not given.\n"
           "                 Nobody is asked for a password: who reaches the port can use the connector\n"
           "  --socket PATH  listen on a Unix socket; without --port on nothing else\n"
           "  --form         the configuration form as JSON or as Markdown, for documentation\n"
           "  --help         this text\n"
           "  --version      the version of the SDK inside\n",
           file, p->kind, p->name, file, file, p->port_default);
    if (print_form(p, weir__form_help) != EXIT_STOPPED)
        return EXIT_CANNOT_SERVE;
    printf("\n"
           "examples:\n"
           "  %s --host 127.0.0.1 --port %d\n"
           "  %s --socket /run/%s.sock\n"
           "  %s --form=markdown > docs/configuration.md\n"
           "\n"
           "Logs go to standard output, one JSON object a line. SIGTERM stops: running requests get 30\n"
           "seconds to end. Exit status: 0 stopped, 1 could not serve, 2 wrong arguments.\n",
           file, p->port_default, file, p->name, file);
    return fflush(stdout) == 0 ? EXIT_STOPPED : EXIT_CANNOT_SERVE;
}

static int usage_error(const char *file, const char *what, const char *argument)
{
    fprintf(stderr, "%s: %s '%s'; see %s --help\n", file, what, argument, file);
    return EXIT_USAGE;
}

/* The value of option `name` at argv[*at], "--name value" or "--name=value"; NULL: another option. */
static const char *option_value(int argc, char **argv, int *at, const char *name)
{
    size_t size = strlen(name);

    if (strncmp(argv[*at], name, size) != 0)
        return NULL;
    if (argv[*at][size] == '=')
        return argv[*at] + size + 1;
    if (argv[*at][size] != '\0')
        return NULL;
    if (*at + 1 == argc)
        return "";
    ++*at;
    assert(argv[*at] != NULL);
    return argv[*at];
}

static bool parse_port(const char *text, int *out)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > 65535)
        return false;
    *out = (int)value;
    return true;
}

/* Fills in `options`. Returns -1 to go on, otherwise an exit code. */
static int parse_arguments(const weir_program *p, int argc, char **argv, weir_host_options *options)
{
    const char *file = argc > 0 && argv[0] ? argv[0] : p->name;
    bool port_given = false;

    options->port = p->port_default;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        const char *value;

        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
            return print_help(p, file);
        if (strcmp(argument, "--version") == 0) {
            printf("%s (Weir %s)\n", p->name, WEIR_VERSION);
            return fflush(stdout) == 0 ? EXIT_STOPPED : EXIT_CANNOT_SERVE;
        }
        if (strcmp(argument, "--form") == 0 || strcmp(argument, "--form=json") == 0)
            return print_form(p, weir__form_json);
        if (strcmp(argument, "--form=markdown") == 0)
            return print_form(p, weir__form_markdown);
        if ((value = option_value(argc, argv, &i, "--port")) != NULL) {
            if (!parse_port(value, &options->port))
                return usage_error(file, "--port needs a number from 0 to 65535, not", value);
            port_given = true;
        } else if ((value = option_value(argc, argv, &i, "--host")) != NULL) {
            if (value[0] == '\0')
                return usage_error(file, "--host needs an address, not", value);
            options->host = value;
        } else if ((value = option_value(argc, argv, &i, "--socket")) != NULL) {
            if (value[0] == '\0')
                return usage_error(file, "--socket needs a path, not", value);
            options->socket_path = value;
        } else {
            return usage_error(file, "unknown argument", argument);
        }
    }
    if (options->socket_path != NULL && !port_given)
        options->port = -1;
    return -1;
}

static void log_listening(const weir_host *host, const weir_host_options *options)
{
    if (options->port >= 0 && options->socket_path != NULL)
        weir__log(WEIR_LOG_INFO, "listening on port %d and on '%s'", weir__host_port(host),
                  options->socket_path);
    else if (options->port >= 0)
        weir__log(WEIR_LOG_INFO, "listening on port %d", weir__host_port(host));
    else
        weir__log(WEIR_LOG_INFO, "listening on '%s'", options->socket_path);
}

/* The line that a crash leaves behind; static, for it is written when nothing else may be touched. */
static void prepare_last_word(const weir_program *p)
{
    static const char before[] = "{\"level\":\"SEVERE\",\"message\":\"the connector crashed: ";
    static char after[64];

    snprintf(after, sizeof after, "\",\"message-origin\":\"%s\"}\n", p->origin);
    weir__signal_last_word(1, before, after);
}

int weir__program_run(const weir_program *p, int argc, char **argv)
{
    weir_host_options options = { 0 };
    int code = parse_arguments(p, argc, argv, &options);
    weir_host *host = NULL;
    weir_error err;
    weir_status status;

    if (code >= 0)
        return code;
    weir__log_open(1, p->origin);
    status = weir__signal_open(&err);
    if (status == WEIR_OK)
        status = p->open(p, &options, &host, &err);
    if (status != WEIR_OK) {
        weir__log(WEIR_LOG_SEVERE, "the %s '%s' cannot serve: %s", p->kind, p->name, err.text);
        return EXIT_CANNOT_SERVE;
    }
    prepare_last_word(p);
    log_listening(host, &options);
    (void)weir__signal_wait();
    weir__log(WEIR_LOG_INFO, "stopping");
    if (!weir__host_drain(host, WEIR_RPC_DRAIN_TIMEOUT_MS)) {
        weir__log(WEIR_LOG_WARNING, "a request did not end after it was cancelled; stopping without it");
        quick_exit(EXIT_STOPPED); /* R-RPC-06: a handler that hangs does not keep the process */
    }
    weir__host_close(host);
    weir__signal_close();
    return EXIT_STOPPED;
}
