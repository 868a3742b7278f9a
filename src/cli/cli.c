/* cli: choosing the command, parsing its options from a table, help and completion from the same table. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 32

static const cli_command *const commands[] = { &cli_sync };

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

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
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        char head[64];

        snprintf(head, sizeof head, "%s %s", option->name, option->value ? option->value : "");
        printf("  %-30s %s%s\n", head, option->help, option->required ? " (required)" : "");
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

int cli_parse(const cli_command *command, int argc, char **argv, char **values)
{
    for (int i = 0; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        const cli_option *option;
        size_t at;

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command);
            return CLI_SUCCESS;
        }
        option = find_option(command, argv[i]);
        if (option == NULL)
            return usage_error(command, "unknown argument", argv[i]);
        at = (size_t)(option - command->options);
        if (values[at] != NULL)
            return usage_error(command, "this option is given twice:", option->name);
        if (option->value == NULL) {
            if (equals != NULL)
                return usage_error(command, "this option takes no value:", option->name);
            values[at] = argv[i];
            continue;
        }
        if (equals == NULL && i + 1 == argc)
            return usage_error(command, "a value is missing after", option->name);
        values[at] = equals ? equals + 1 : argv[++i];
        if (values[at][0] == '\0')
            return usage_error(command, "a value is missing after", option->name);
    }
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].required && values[i] == NULL)
            return usage_error(command, "an option is missing:", command->options[i].name);
    return -1;
}

static void print_commands(void)
{
    printf("weir: data from a source to a destination, over the Partner SDK's wire\n"
           "\n"
           "usage: weir COMMAND [OPTIONS]\n"
           "\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    printf("  %-12s %s\n", "completion", "print a completion script: weir completion bash");
    printf("  %-12s %s\n", "version", "print the version");
    printf("  %-12s %s\n", "help", "this text; weir COMMAND --help tells about one command");
    printf("\n"
           "example:\n"
           "  weir sync --source ./source-files --source-config files.json \\\n"
           "            --destination ./destination-sqlite --destination-config sqlite.json \\\n"
           "            --schema shop --state ./state\n"
           "\n"
           "Exit status: 0 success, 1 failure, 2 wrong usage, 3 a connector asks for a person.\n");
}

static int print_completion(const char *shell)
{
    if (shell == NULL || strcmp(shell, "bash") != 0) {
        cli_error("completion is written for bash only: weir completion bash");
        return CLI_USAGE;
    }
    printf(
        "_weir()\n{\n    local word=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("%s ", commands[i]->name);
    printf("completion version help' -- \"$word\"))\n        return\n    fi\n    case \"${COMP_WORDS[1]}\" "
           "in\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("    %s)\n        case \"$previous\" in\n        ", commands[i]->name);
        for (size_t j = 0; j < commands[i]->option_count; j++)
            if (commands[i]->options[j].value != NULL)
                printf("%s%s", j ? "|" : "", commands[i]->options[j].name);
        printf(") COMPREPLY=($(compgen -f -- \"$word\")) ;;\n        *) COMPREPLY=($(compgen -W '");
        for (size_t j = 0; j < commands[i]->option_count; j++)
            printf("%s ", commands[i]->options[j].name);
        printf("--help' -- \"$word\")) ;;\n        esac ;;\n");
    }
    printf("    completion) COMPREPLY=($(compgen -W bash -- \"$word\")) ;;\n    esac\n}\ncomplete -F _weir "
           "weir\n");
    return CLI_SUCCESS;
}

static int run_command(const cli_command *command, int argc, char **argv)
{
    char *values[OPTIONS_MAX] = { NULL };
    int code = cli_parse(command, argc, argv, values);

    return code >= 0 ? code : command->run(values);
}

int cli_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_commands();
        return CLI_SUCCESS;
    }
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("weir %s\n", WEIR_VERSION);
        return CLI_SUCCESS;
    }
    if (strcmp(name, "completion") == 0)
        return print_completion(argc > 2 ? argv[2] : NULL);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return run_command(commands[i], argc - 2, argv + 2);
    if (name[0] == '\0')
        cli_error("a command is missing; see weir --help");
    else
        cli_error("unknown command '%s'; see weir --help", name);
    return CLI_USAGE;
}
