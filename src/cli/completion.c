/*
 * cli/completion: completion scripts for bash, zsh and fish from the tables of the commands.
 *
 * Values: the words of an option that has words, else file names. Arguments by place: their choices.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* What is no table, but completed all the same. */
#define PLAIN_COMMANDS "completion version help"
#define SHELLS "bash zsh fish"

/* The words of an option's value, parted by blanks. */
static void put_words(const cli_option *option)
{
    const char *at = option->value;
    const char *word;
    size_t size;

    while ((size = cli_word_next(&at, &word)) > 0)
        printf("%.*s ", (int)size, word);
}

static void put_choices(const cli_argument *argument)
{
    for (size_t i = 0; argument->choices != NULL && argument->choices[i] != NULL; i++)
        printf("%s ", argument->choices[i]);
}

/* Text between single quotes of a shell; what would end them is left out. */
static void put_quoted(const char *text)
{
    putchar('\'');
    for (const char *c = text; *c != '\0'; c++)
        if (*c != '\'')
            putchar(*c);
    putchar('\'');
}

/* --- bash --- */

static void bash_command(const cli_command *command)
{
    printf("    %s)\n        case \"$previous\" in\n", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];

        if (option->value == NULL)
            continue;
        if (cli_option_has_words(option)) {
            printf("        %s) COMPREPLY=($(compgen -W '", option->name);
            put_words(option);
            printf("' -- \"$word\")); return ;;\n");
        } else {
            printf("        %s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", option->name);
        }
    }
    printf("        esac\n");
    for (size_t i = 0; i < command->argument_count; i++)
        if (command->arguments[i].choices != NULL) {
            printf("        if [ \"$COMP_CWORD\" -eq %zu ] && [[ $word != -* ]]; then\n"
                   "            COMPREPLY=($(compgen -W '",
                   i + 2);
            put_choices(&command->arguments[i]);
            printf("' -- \"$word\"))\n            return\n        fi\n");
        }
    printf("        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < command->option_count; i++)
        printf("%s ", command->options[i].name);
    printf("--help' -- \"$word\")) ;;\n");
}

static void bash(const cli_command *const *commands, size_t count)
{
    printf("_weir()\n{\n"
           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < count; i++)
        printf("%s ", commands[i]->name);
    printf(PLAIN_COMMANDS "' -- \"$word\"))\n        return\n    fi\n"
                          "    case \"${COMP_WORDS[1]}\" in\n");
    for (size_t i = 0; i < count; i++)
        bash_command(commands[i]);
    printf("    completion) COMPREPLY=($(compgen -W '" SHELLS "' -- \"$word\")) ;;\n"
           "    help) COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < count; i++)
        printf("%s ", commands[i]->name);
    printf("' -- \"$word\")) ;;\n    esac\n}\ncomplete -F _weir weir\n");
}

/* --- zsh --- */

/* A help text inside '…[…]': brackets and colons mean something there. */
static void zsh_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '[' || *c == ']' || *c == ':')
            putchar('\\');
        if (*c != '\'')
            putchar(*c);
    }
}

static void zsh_command(const cli_command *command)
{
    printf("    %s)\n        _arguments -S \\\n", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];

        printf("            '%s%s[", option->name,
               option->value == NULL    ? ""
               : option->name[1] == '-' ? "="
                                        : "+");
        zsh_text(option->help);
        printf("]");
        if (option->value != NULL && cli_option_has_words(option)) {
            printf(":value:(");
            put_words(option);
            printf(")");
        } else if (option->value != NULL) {
            printf(":value:_files");
        }
        printf("' \\\n");
    }
    for (size_t i = 0; i < command->argument_count; i++) {
        printf("            '%zu:%s:(", i + 1, command->arguments[i].name);
        put_choices(&command->arguments[i]);
        printf(")' \\\n");
    }
    printf("            '--help[tell about the command]' ;;\n");
}

static void zsh(const cli_command *const *commands, size_t count)
{
    printf("#compdef weir\n"
           "_weir()\n{\n"
           "    local -a names=(\n");
    for (size_t i = 0; i < count; i++) {
        printf("        '%s:", commands[i]->name);
        zsh_text(commands[i]->summary);
        printf("'\n");
    }
    printf("        'completion:print a completion script'\n        'version:print the version'\n"
           "        'help:tell about a command'\n    )\n"
           "    if (( CURRENT == 2 )); then\n        _describe command names\n        return\n    fi\n"
           "    shift words\n    (( CURRENT-- ))\n"
           "    case $words[1] in\n");
    for (size_t i = 0; i < count; i++)
        zsh_command(commands[i]);
    printf("    completion) compadd " SHELLS " ;;\n    help) compadd");
    for (size_t i = 0; i < count; i++)
        printf(" %s", commands[i]->name);
    printf(" ;;\n    esac\n}\n"
           "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n    _weir \"$@\"\nelse\n"
           "    compdef _weir weir\nfi\n");
}

/* --- fish --- */

static void fish_command(const cli_command *command)
{
    char head[128];

    snprintf(head, sizeof head, "complete -c weir -n '__fish_seen_subcommand_from %s'", command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];

        printf("%s -%c %s%s -d ", head, option->name[1] == '-' ? 'l' : 's',
               option->name + strspn(option->name, "-"), option->value ? " -r" : "");
        put_quoted(option->help);
        if (cli_option_has_words(option)) {
            printf(" -f -a '");
            put_words(option);
            printf("'");
        } else if (option->value != NULL) {
            printf(" -F");
        }
        printf("\n");
    }
    for (size_t i = 0; i < command->argument_count; i++)
        if (command->arguments[i].choices != NULL) {
            printf("%s -a '", head);
            put_choices(&command->arguments[i]);
            printf("'\n");
        }
}

static void fish(const cli_command *const *commands, size_t count)
{
    printf("complete -c weir -f\n");
    for (size_t i = 0; i < count; i++) {
        printf("complete -c weir -n __fish_use_subcommand -a %s -d ", commands[i]->name);
        put_quoted(commands[i]->summary);
        printf("\n");
        fish_command(commands[i]);
    }
    printf("complete -c weir -n __fish_use_subcommand -a '" PLAIN_COMMANDS "'\n"
           "complete -c weir -n '__fish_seen_subcommand_from completion' -a '" SHELLS "'\n");
}

int cli_completion(const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(const cli_command *const *commands, size_t count);
    } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
    size_t count;
    const cli_command *const *commands = cli_commands(&count);

    for (size_t i = 0; shell != NULL && i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(commands, count);
            return CLI_SUCCESS;
        }
    cli_error("completion is written for bash, zsh and fish: weir completion bash");
    return CLI_USAGE;
}
