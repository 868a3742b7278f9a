/* cli: choosing the command, parsing its options and arguments from a table, help from the same table. */
#include "cli/cli.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/json_tree.h"

#define HEAD_WIDTH 30 /* columns of the help that options take */
#define VALUES_MAX 64 /* options and arguments of one command */

static const cli_command *const commands[] = { &cli_ledger, &cli_new,  &cli_record, &cli_replay,
                                               &cli_schema, &cli_sync, &cli_test }; /* by name */

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

const cli_command *const *cli_commands(size_t *count)
{
    *count = COMMAND_COUNT;
    return commands;
}

void cli_error(const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    fprintf(stderr, "weir: %s\n", text);
}

static void print_help(const cli_command *command)
{
    printf("weir %s: %s\n\nusage: weir %s\n\n", command->name, command->summary, command->usage);
    for (size_t i = 0; i < command->argument_count; i++)
        printf("  %-*s %s\n", HEAD_WIDTH, command->arguments[i].name, command->arguments[i].help);
    if (command->argument_count > 0)
        printf("\n");
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        int width = printf("  %s%s%s", option->name, option->value ? " " : "",
                           option->value ? option->value : "");

        if (width > HEAD_WIDTH + 2) /* the help of a long one begins on a line of its own */
            width = printf("\n") - 1;
        printf("%*s%s%s\n", HEAD_WIDTH + 3 - width, "", option->help, option->required ? " (required)" : "");
    }
    printf("\n%s", command->examples);
}

/* The option that `argument` names, with or without "=value"; NULL when there is none. */
static const cli_option *find_option(const cli_command *command, const char *argument)
{
    size_t size = strcspn(argument, "=");

    for (size_t i = 0; i < command->option_count; i++)
        if (strlen(command->options[i].name) == size &&
            strncmp(command->options[i].name, argument, size) == 0)
            return &command->options[i];
    return NULL;
}

static int usage_error(const cli_command *command, const char *what, const char *argument)
{
    cli_error("%s '%s'; see weir %s --help", what, argument, command->name);
    return CLI_USAGE;
}

static int choice_error(const cli_command *command, const cli_argument *argument, const char *text)
{
    char list[512] = "";
    size_t used = 0;

    for (size_t i = 0; argument->choices[i] != NULL && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 argument->choices[i]);
    cli_error("%s is one of %s, not '%s'; see weir %s --help", argument->name, list, text, command->name);
    return CLI_USAGE;
}

bool cli_print_json(json_t *object)
{
    weir_buf text;
    bool fine;

    weir__buf_init(&text, SIZE_MAX);
    fine = weir__json_put(&text, object, JSON_COMPACT) && weir__buf_put_text(&text, "\n") &&
           fwrite(text.data, 1, text.size, stdout) == text.size && fflush(stdout) == 0;
    weir__buf_clear(&text);
    json_decref(object);
    return fine;
}

/* An argument known by its place: the next one that has no value yet. */
static int take_argument(const cli_command *command, char *text, char **values)
{
    char **places = values + command->option_count;
    size_t at = 0;

    while (at < command->argument_count && places[at] != NULL)
        at++;
    if (at == command->argument_count)
        return usage_error(command, "unknown argument", text);
    places[at] = text;
    if (command->arguments[at].choices == NULL)
        return -1;
    for (size_t i = 0; command->arguments[at].choices[i] != NULL; i++)
        if (strcmp(command->arguments[at].choices[i], text) == 0)
            return -1;
    return choice_error(command, &command->arguments[at], text);
}

static int unknown_option(const cli_command *command, const char *argument)
{
    size_t size = strcspn(argument, "=");

    for (size_t i = 0; i < command->hint_count; i++)
        if (strlen(command->hints[i].name) == size && strncmp(command->hints[i].name, argument, size) == 0) {
            cli_error("%s: %s", command->hints[i].name, command->hints[i].text);
            return CLI_USAGE;
        }
    return usage_error(command, "unknown argument", argument);
}

/* An option, and its value when that is an argument of its own; *used is how many arguments were taken. */
static int take_option(const cli_command *command, int argc, char **argv, char **values, int *used)
{
    const cli_option *option = find_option(command, argv[0]);
    char *equals = strchr(argv[0], '=');
    size_t at;

    *used = 1;
    if (option == NULL)
        return unknown_option(command, argv[0]);
    at = (size_t)(option - command->options);
    if (values[at] != NULL)
        return usage_error(command, "this option is given twice:", option->name);
    if (option->value == NULL) {
        if (equals != NULL && strcmp(equals, "=false") == 0)
            return -1;
        if (equals != NULL && strcmp(equals, "=true") != 0)
            return usage_error(command, "this option takes no value:", option->name);
        values[at] = argv[0];
        return -1;
    }
    if (equals == NULL && argc == 1)
        return usage_error(command, "a value is missing after", option->name);
    *used = equals ? 1 : 2;
    values[at] = equals ? equals + 1 : argv[1];
    if (values[at][0] == '\0')
        return usage_error(command, "a value is missing after", option->name);
    return -1;
}

int cli_parse(const cli_command *command, int argc, char **argv, char **values)
{
    int code = -1;
    int used = 1;

    for (int i = 0; i < argc; i += used) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command);
            return CLI_SUCCESS;
        }
        used = 1;
        if (argv[i][0] == '-' || command->argument_count == 0)
            code = take_option(command, argc - i, argv + i, values, &used);
        else
            code = take_argument(command, argv[i], values);
        if (code >= 0)
            return code;
    }
    for (size_t i = 0; i < command->argument_count; i++)
        if (values[command->option_count + i] == NULL && !command->arguments[i].optional)
            return usage_error(command, "an argument is missing:", command->arguments[i].name);
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].required && values[i] == NULL)
            return usage_error(command, "an option is missing:", command->options[i].name);
    return -1;
}

size_t cli_word_next(const char **at, const char **word)
{
    size_t size = strcspn(*at, "|");

    *word = *at;
    *at += size + ((*at)[size] == '|');
    return size;
}

bool cli_option_has_words(const cli_option *option)
{
    if (option->value == NULL || strchr(option->value, '|') == NULL)
        return false;
    for (const char *c = option->value; *c != '\0'; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && strchr("|-_", *c) == NULL)
            return false;
    return true;
}

static void print_commands(void)
{
    printf("weir: data from a source to a destination, over the Partner SDK's wire\n"
           "\n"
           "usage: weir COMMAND [OPTIONS]\n"
           "\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    printf("  %-12s %s\n", "completion", "print a completion script: weir completion bash|zsh|fish");
    printf("  %-12s %s\n", "version", "print the version");
    printf("  %-12s %s\n", "help", "this text; weir help COMMAND tells about one command");
    printf("\n"
           "example:\n"
           "  weir sync --source ./source-files --source-config files.json \\\n"
           "            --destination ./destination-sqlite --destination-config sqlite.json \\\n"
           "            --schema shop --state ./state\n"
           "\n"
           "Exit status: 0 success, 1 failure, 2 wrong usage, 3 a task for a person.\n");
}

static int run_command(const cli_command *command, int argc, char **argv)
{
    char *values[VALUES_MAX] = { NULL };
    int code;

    assert(command->option_count + command->argument_count <= VALUES_MAX);
    code = cli_parse(command, argc, argv, values);
    return code >= 0 ? code : command->run(values);
}

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

/* `help`, `help COMMAND`, and `help --man [COMMAND]`, which writes the manual page: for the build. */
static int help(int argc, char **argv)
{
    bool man = argc > 0 && strcmp(argv[0], "--man") == 0;
    const char *name = man ? (argc > 1 ? argv[1] : NULL) : (argc > 0 ? argv[0] : NULL);
    const cli_command *command = name ? find_command(name) : NULL;

    if (name != NULL && command == NULL) {
        cli_error("unknown command '%s'; see weir --help", name);
        return CLI_USAGE;
    }
    if (man)
        cli_man(command);
    else if (command != NULL)
        print_help(command);
    else
        print_commands();
    return CLI_SUCCESS;
}

static void missing_command(void)
{
    char names[256] = "";
    size_t size = 0;

    for (size_t i = 0; i < COMMAND_COUNT && size < sizeof names; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s, ", commands[i]->name);
    cli_error("a command is missing: %shelp or version; see weir --help", names);
}

int cli_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const cli_command *command = find_command(name);

    if (command != NULL)
        return run_command(command, argc - 2, argv + 2);
    if (strcmp(name, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(0, NULL);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("weir %s\n", WEIR_VERSION);
        return CLI_SUCCESS;
    }
    if (strcmp(name, "completion") == 0)
        return cli_completion(argc > 2 ? argv[2] : NULL);
    if (name[0] == '\0')
        missing_command();
    else
        cli_error("unknown command '%s'; see weir --help", name);
    return CLI_USAGE;
}
