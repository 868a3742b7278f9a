/*
 * A filter over data/text for text_oracle.py: one job a line, one answer a line.
 *
 *   format TYPE VALUE   → the text form in hex, or "-" when there is none
 *   parse TYPE HEXTEXT  → the value, or "-" when the text is none
 *
 * VALUE and HEXTEXT as in tool_values.h.
 */
#include "tool_values.h"

#include "data/text.h"

static char line[1 << 20];
static char bytes[1 << 19];
static char text[1 << 20];

static void format_job(weir_type type, char *value)
{
    weir_cell cell = { .column = "c", .type = type };
    size_t size;

    tool_read_value(&cell, value, bytes);
    if (weir__text_bound(&cell) > sizeof text)
        abort();
    size = weir__text_format(&cell, text);
    if (size == WEIR_TEXT_NONE)
        putchar('-');
    else
        tool_print_hex(text, size);
    putchar('\n');
}

static void parse_job(weir_type type, const char *hex)
{
    weir_cell cell = { .column = "c", .type = type };

    if (weir__text_parse(&cell, text, tool_from_hex(hex, text)))
        tool_print_value(&cell);
    else
        putchar('-');
    putchar('\n');
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *type_name = strchr(line, ' ');
        char *value = type_name ? strchr(type_name + 1, ' ') : NULL;
        weir_type type;

        if (value == NULL)
            return 2;
        line[strcspn(line, "\n")] = '\0';
        *type_name++ = '\0';
        *value++ = '\0';
        type = weir__type_from_name((weir_bytes){ type_name, strlen(type_name) });
        if (strcmp(line, "format") == 0)
            format_job(type, value);
        else
            parse_job(type, value);
    }
    return 0;
}
