/*
 * cli/man: manual pages in mdoc, from the tables that also parse and document the options.
 *
 * The text after a command's options is taken apart: what is indented is shown as it stands, "examples:"
 * opens EXAMPLES, a paragraph that begins with "Exit status:" goes to EXIT STATUS, others to DESCRIPTION.
 * Checked with mandoc -Tlint by the tests.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define EXIT_STATUS "Exit status:"

/*
 * One line of a literal block, or what has no sentence's end in it. A dot or quote in front would be a
 * request, a backslash an escape; other characters than ASCII are written by number, so that every formatter
 * shows them.
 */
static void put_line(const char *text, size_t size)
{
    if (size > 0 && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", stdout);
    for (size_t i = 0; i < size;) {
        unsigned char c = (unsigned char)text[i];
        size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        unsigned long point = c < 0x80 ? c : c & (0x7Fu >> length);

        for (size_t k = 1; k < length && i + k < size; k++)
            point = point << 6 | ((unsigned char)text[i + k] & 0x3Fu);
        i += length;
        if (point == '\\')
            fputs("\\e", stdout);
        else if (point == '-')
            fputs("\\-", stdout);
        else if (point < 0x80)
            putchar((int)point);
        else
            printf("\\[u%04lX]", point);
    }
    putchar('\n');
}

/* Running text, each sentence on a line of its own, as mdoc wants it. */
static void put_text(const char *text, size_t size)
{
    size_t from = 0;

    for (size_t i = 0; i + 1 < size; i++)
        if (strchr(".?!", text[i]) && text[i + 1] == ' ') {
            put_line(text + from, i + 1 - from);
            from = i + 2;
        }
    put_line(text + from, size - from);
}

/* A name as the argument of a macro: in quotes where it has blanks. Table texts have no quotes themselves. */
static void put_argument(const char *text)
{
    printf(strchr(text, ' ') ? " \"%s\"" : " %s", text);
}

static void put_option(const cli_option *option, const char *before)
{
    printf("%sFl %s", before, option->name + 1);
    if (option->value != NULL) {
        printf(" Ar");
        put_argument(option->value);
    }
    putchar('\n');
}

/* --- the text after the options --- */

typedef enum part {
    PART_NOTES,
    PART_EXIT,
    PART_EXAMPLES
} part;

/* Which part the paragraph or block at `line` belongs to; `now` for what goes on. */
static part part_of(const char *line, part now)
{
    if (strncmp(line, "examples:", 9) == 0 || strncmp(line, "example:", 8) == 0)
        return PART_EXAMPLES;
    if (strncmp(line, EXIT_STATUS, strlen(EXIT_STATUS)) == 0)
        return PART_EXIT;
    return line[0] == ' ' || line[0] == '\n' ? now : now == PART_EXIT ? PART_EXIT : PART_NOTES;
}

static void put_heading(part of)
{
    if (of == PART_EXIT)
        puts(".Sh EXIT STATUS");
    else if (of == PART_EXAMPLES)
        puts(".Sh EXAMPLES");
}

/* The lines of `text` that belong to `wanted`. A blank line between paragraphs becomes .Pp. */
static void put_part(const char *text, part wanted)
{
    part now = PART_NOTES;
    bool any = false, literal = false, parted = false;

    for (const char *line = text, *end; *line != '\0'; line = end + (*end == '\n')) {
        size_t size = strcspn(line, "\n");
        bool heading;

        end = line + size;
        now = size == 0 ? (now == PART_EXIT ? PART_NOTES : now) : part_of(line, now);
        heading = size > 0 && now == PART_EXAMPLES && line[0] != ' ';
        if (now != wanted || heading || size == 0) {
            parted = parted || size == 0;
            continue;
        }
        if (!any)
            put_heading(wanted);
        if (literal && line[0] != ' ')
            puts(".Ed");
        if (!literal && line[0] == ' ')
            puts(".Bd -literal -offset indent");
        else if (parted && line[0] != ' ' && any)
            puts(".Pp");
        literal = line[0] == ' ';
        any = true;
        parted = false;
        if (literal)
            put_line(line + 2, size - 2);
        else if (strncmp(line, EXIT_STATUS " ", sizeof EXIT_STATUS) == 0)
            put_text(line + sizeof EXIT_STATUS, size - sizeof EXIT_STATUS);
        else
            put_text(line, size);
    }
    if (literal)
        puts(".Ed");
}

/* --- pages --- */

static void put_head(const char *name, const char *summary)
{
    printf(".\\\" Made by \"weir help --man\"; the tables of src/cli are its source.\n.Dd %s\n.Dt ",
           WEIR_DATE);
    for (const char *c = name; *c != '\0'; c++)
        putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    printf(" 1\n.Os Weir %s\n.Sh NAME\n.Nm %s\n.Nd ", WEIR_VERSION, name);
    put_text(summary, strlen(summary));
}

static void put_options(const cli_command *command)
{
    puts("The arguments and options are:\n.Bl -tag -width Ds");
    for (size_t i = 0; i < command->argument_count; i++) {
        printf(".It Ar");
        put_argument(command->arguments[i].name);
        putchar('\n');
        put_text(command->arguments[i].help, strlen(command->arguments[i].help));
    }
    for (size_t i = 0; i < command->option_count; i++) {
        put_option(&command->options[i], ".It ");
        put_text(command->options[i].help, strlen(command->options[i].help));
        if (command->options[i].required)
            puts("(required)");
    }
    puts(".It Fl -help\nTells about the command on standard output.\n.El");
}

static void command_page(const cli_command *command)
{
    char name[64];

    snprintf(name, sizeof name, "weir-%s", command->name);
    put_head(name, command->summary);
    printf(".Sh SYNOPSIS\n.Nm weir %s\n", command->name);
    for (size_t i = 0; i < command->argument_count; i++) {
        printf(command->arguments[i].optional ? ".Op Ar" : ".Ar");
        put_argument(command->arguments[i].name);
        putchar('\n');
    }
    for (size_t i = 0; i < command->option_count; i++)
        put_option(&command->options[i], command->options[i].required ? "." : ".Op ");
    puts(".Sh DESCRIPTION");
    put_options(command);
    puts(".Pp");
    put_part(command->examples, PART_NOTES);
    put_part(command->examples, PART_EXIT);
    put_part(command->examples, PART_EXAMPLES);
    puts(".Sh SEE ALSO\n.Xr weir 1");
}

static void weir_page(void)
{
    size_t count;
    const cli_command *const *commands = cli_commands(&count);

    put_head("weir", "data from a source to a destination, over the Partner SDK's wire");
    puts(".Sh SYNOPSIS\n.Nm weir\n.Ar command\n.Op Ar option ...\n.Nm weir\n.Cm help\n.Op Ar command\n.Nm "
         "weir\n"
         ".Cm version\n.Nm weir\n.Cm completion Cm bash | zsh | fish\n.Sh DESCRIPTION\n"
         "Connectors are programs of their own that speak gRPC;\n.Nm\nstarts them or connects to them.\n"
         "The commands are:\n.Bl -tag -width Ds");
    for (size_t i = 0; i < count; i++) {
        printf(".It Cm %s\n", commands[i]->name);
        printf(".Xr weir-%s 1 :\n", commands[i]->name);
        put_text(commands[i]->summary, strlen(commands[i]->summary));
    }
    puts(".It Cm help\nLists the commands, or tells about one of them.\n.It Cm version\nPrints the version.\n"
         ".It Cm completion\nPrints a completion script for a shell.\n.El\n.Sh EXIT STATUS\n"
         "0 success, 1 failure, 2 wrong usage, 3 a connector asks for a person.\n.Sh SEE ALSO");
    for (size_t i = 0; i < count; i++)
        printf(".Xr weir-%s 1 ,\n", commands[i]->name);
    puts(".Xr libweir 3");
}

void cli_man(const cli_command *command)
{
    if (command == NULL)
        weir_page();
    else
        command_page(command);
}
