/*
 * cli: the `weir` program: commands, options, and how a sync looks on a terminal.
 *
 * Results go to standard output; progress, logs and errors to standard error, an error always as one line
 * that begins with "weir: ". Exit codes are the same for every command.
 */
#ifndef WEIR_CLI_CLI_H
#define WEIR_CLI_CLI_H

#include <jansson.h>
#include <weir/base.h>

#define CLI_SUCCESS 0
#define CLI_FAILURE 1
#define CLI_USAGE 2
#define CLI_TASK 3 /* a connector asks for a person */

/* An option of a command; the same table parses, documents and completes it. */
typedef struct cli_option {
    const char *name; /* with the dashes */
    /*
     * What its value is called in the help; NULL: a flag. Words of letters, '-' and '_' parted by "|" are all
     * there is to choose from, and completion offers them.
     */
    const char *value;
    const char *help;
    bool required;
} cli_option;

/* An argument that is known by its place. */
typedef struct cli_argument {
    const char *name; /* in capitals, as the help calls it */
    const char *help;
    const char *const *choices; /* NULL-terminated: all there is; NULL: anything */
    bool optional;              /* so are those that come after it */
} cli_argument;

/* What to say about an option that is known elsewhere, but not here. */
typedef struct cli_hint {
    const char *name;
    const char *text;
} cli_hint;

typedef struct cli_command {
    const char *name;
    const char *summary;
    const char *usage; /* after "usage: weir " */
    /*
     * Printed after the options: "examples:" with indented command lines, then notes as paragraphs; one that
     * begins with "Exit status:" tells the exit codes. The manual page is made of the same text.
     */
    const char *examples;
    const cli_option *options;
    size_t option_count;
    int (*run)(char **values);
    const cli_argument *arguments; /* in their order */
    size_t argument_count;
    const cli_hint *hints; /* may be NULL */
    size_t hint_count;
} cli_command;

/* The commands that are tables; static. */
const cli_command *const *cli_commands(size_t *count);
/*
 * Reads `--name value`, `--name=value`, flags and arguments into `values`: one per option (NULL: absent;
 * flags: not NULL), then one per argument. Returns -1 to go on, or an exit code after having said what is
 * wrong. `--help` and `-h` print the help and return CLI_SUCCESS. A flag may also be written `--name=true` or
 * `--name=false`.
 */
int cli_parse(const cli_command *command, int argc, char **argv, char **values);
/* The next word of a value such as "auto|port|socket": its length, 0 at the end; *at moves on. */
size_t cli_word_next(const char **at, const char **word);
/* True when all that an option takes is the words of its `value`. */
bool cli_option_has_words(const cli_option *option);
/* `weir completion SHELL`; `shell` may be NULL. */
int cli_completion(const char *shell);
/* The manual page, mdoc, of a command, or of weir itself when it is NULL, to standard output. */
void cli_man(const cli_command *command);
/* The whole program; `argv` as main gets it. */
int cli_main(int argc, char **argv);

extern const cli_command cli_ledger;
extern const cli_command cli_new;
extern const cli_command cli_record;
extern const cli_command cli_replay;
extern const cli_command cli_schema;
extern const cli_command cli_sync;
extern const cli_command cli_test;

/* Prints "weir: " and the text, one line, to standard error. */
void cli_error(const char *format, ...) WEIR_PRINTF(1, 2);

/* The object, *consumed*, as one line on standard output, or nothing. False: memory, NULL, no taker. */
bool cli_print_json(json_t *object) WEIR_CHECKED;

#endif
