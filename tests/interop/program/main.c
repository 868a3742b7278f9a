/*
 * weir_interop server --port=N
 * weir_interop client --server_host=H --server_port=N --test_case=NAME [--soak_…=N]
 *
 * Flags as in the official programs, so that the same drivers run them; `--use_tls=false` is accepted, TLS is
 * not spoken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

static const char *value_of(const char *argument, const char *name)
{
    size_t size = strlen(name);

    if (strncmp(argument, name, size) != 0 || argument[size] != '=')
        return NULL;
    return argument + size + 1;
}

static bool take_number(const char *argument, const char *name, int *out)
{
    const char *value = value_of(argument, name);

    if (value != NULL)
        *out = (int)strtol(value, NULL, 10);
    return value != NULL;
}

static bool take_flag(const char *argument, flags *f)
{
    const char *value;

    if (take_number(argument, "--port", &f->port) || take_number(argument, "--server_port", &f->port) ||
        take_number(argument, "--soak_iterations", &f->soak_iterations) ||
        take_number(argument, "--soak_max_failures", &f->soak_failures_max) ||
        take_number(argument, "--soak_per_iteration_max_acceptable_latency_ms", &f->soak_iteration_ms_max) ||
        take_number(argument, "--soak_overall_timeout_seconds", &f->soak_seconds) ||
        take_number(argument, "--soak_request_size", &f->soak_request_size) ||
        take_number(argument, "--soak_response_size", &f->soak_response_size))
        return true;
    if ((value = value_of(argument, "--server_host")) != NULL)
        f->server_host = value;
    else if ((value = value_of(argument, "--test_case")) != NULL)
        f->test_case = value;
    else if ((value = value_of(argument, "--use_tls")) != NULL)
        return strcmp(value, "false") == 0;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    flags f = {
        .server_host = "127.0.0.1",
        .test_case = "empty_unary",
        .soak_iterations = 10,
        .soak_iteration_ms_max = 1000,
        .soak_seconds = 30,
        .soak_request_size = 271828,
        .soak_response_size = 314159,
    };

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 2; i < argc; i++) {
        if (!take_flag(argv[i], &f)) {
            fprintf(stderr, "weir_interop: cannot use '%s'\n", argv[i]);
            return 2;
        }
    }
    if (argc > 1 && strcmp(argv[1], "server") == 0)
        return run_server(&f);
    if (argc > 1 && strcmp(argv[1], "client") == 0)
        return run_client(&f);
    fprintf(stderr, "usage: weir_interop server|client [--flag=value]...\n");
    return 2;
}
