/*
 * cli: the `weir` program: commands, options, and how a sync looks on a terminal.
 *
 * Results go to standard output; progress, logs and errors to standard error, an error always as one line
 * that begins with "weir: ". Exit codes are the same for every command.
 */
#ifndef WEIR_CLI_CLI_H
#define WEIR_CLI_CLI_H

#include <weir/base.h>

#define CLI_SUCCESS 0
#define CLI_FAILURE 1
#define CLI_USAGE 2
#define CLI_TASK 3 /* a connector asks for a person */

/* An option of a command; the same table parses, documents and completes it. */
typedef struct cli_option {
    const char *name;  /* with the dashes */
    const char *value; /* what its value is called in the help; NULL: a flag */
    const char *help;
    bool required;
} cli_option;

/*
 * Reads `--name value`, `--name=value` and flags into `values`, one per option (NULL: absent; flags: "").
 * Returns -1 to go on, or an exit code after having said what is wrong. `--help` and `-h` print `help` and
 * return CLI_SUCCESS.
 */
typedef struct cli_command {
    const char *name;
    const char *summary;
    const char *usage;    /* after "usage: weir " */
    const char *examples; /* and notes, printed after the options */
    const cli_option *options;
    size_t option_count;
    int (*run)(char **values);
} cli_command;

int cli_parse(const cli_command *command, int argc, char **argv, char **values);
/* The whole program; `argv` as main gets it. */
int cli_main(int argc, char **argv);

extern const cli_command cli_sync;

/* Prints "weir: " and the text, one line, to standard error. */
void cli_error(const char *format, ...) WEIR_PRINTF(1, 2);

#endif
