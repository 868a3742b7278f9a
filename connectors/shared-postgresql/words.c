/* shared-postgresql/words: the classes of SQLSTATE that values cause lose what may be one. */
#include "words.h"

#include <string.h>

#include "text.h"

const char *words_in_one_line(weir_call *call, const char *message)
{
    char *line = (char *)(uintptr_t)weir_copy(call, message, strlen(message));
    size_t size = strlen(line);

    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == ' '))
        line[--size] = '\0';
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    }
    return line;
}

/* --- which errors speak of values --- */

static bool begins_with(const char *line, const char *const *starts, size_t count)
{
    for (size_t i = 0; line != NULL && i < count; i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* RAISE and its like in PL/pgSQL, Perl, Python and Tcl: the words are those of whoever wrote the function. */
static bool is_raised(const PGresult *result)
{
    static const char *const files[] = { "pl_", "plpy_", "plperl", "pltcl" };

    return begins_with(PQresultErrorField(result, PG_DIAG_SOURCE_FILE), files, sizeof files / sizeof *files);
}

/* Cardinality, values, constraints, what functions do and raise, check options. */
static bool is_about_values(const PGresult *result)
{
    static const char *const classes[] = { "21", "22", "23", "2F", "38", "39", "44", "P0" };

    return begins_with(PQresultErrorField(result, PG_DIAG_SQLSTATE), classes,
                       sizeof classes / sizeof *classes);
}

/* --- without values --- */

/* The length of the quotation mark at `at`, in any language of the server's; 0: there is none. */
static size_t mark_size(const char *at)
{
    static const char *const marks[] = { "\"", "«", "»", "“", "”", "„" };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strncmp(at, marks[i], strlen(marks[i])) == 0)
            return strlen(marks[i]);
    return 0;
}

/* The length of the name that `at` begins with, up to a quotation mark; 0: what stands there is no name. */
static size_t name_size(const PGresult *result, const char *at)
{
    static const int fields[] = { PG_DIAG_SCHEMA_NAME, PG_DIAG_TABLE_NAME, PG_DIAG_COLUMN_NAME,
                                  PG_DIAG_DATATYPE_NAME, PG_DIAG_CONSTRAINT_NAME };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *name = PQresultErrorField(result, fields[i]);
        size_t size = name != NULL ? strlen(name) : 0;

        if (size > 0 && strncmp(at, name, size) == 0 && mark_size(at + size) > 0)
            return size;
    }
    return 0;
}

/* What follows the last quotation mark. */
static const char *after_quotes(const char *message)
{
    const char *after = message + strlen(message);

    for (const char *at = message; *at != '\0'; at++)
        if (mark_size(at) > 0)
            after = at + mark_size(at);
    return after;
}

/*
 * `message` with an ellipsis for what is quoted and is no name of the error's own; a value may hold quotation
 * marks itself, so all from its first to the last one of the message. Where a value has broken a type it
 * stands after a colon as well, or as bytes in hexadecimal.
 */
static const char *without_values(weir_call *call, const PGresult *result, const char *message)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool breaks_type = strncmp(state, "22", 2) == 0;
    text out = text_new(call);

    for (const char *at = message; *at != '\0';) {
        size_t mark = mark_size(at);
        size_t name = mark > 0 ? name_size(result, at + mark) : 0;
        size_t taken = 1;

        if (breaks_type && (strncmp(at, ": ", 2) == 0 || strncmp(at, " 0x", 3) == 0))
            break;
        if (name > 0) {
            taken = mark + name;
            taken += mark_size(at + taken);
        } else if (mark > 0) {
            text_put(&out, "\"…\"");
            at = after_quotes(at);
            continue;
        }
        text_printf(&out, "%.*s", (int)taken, at);
        at += taken;
    }
    return out.data;
}

/* Only COPY's context names a place (table, line, column); others repeat the statement. */
static const char *place_of(weir_call *call, const PGresult *result)
{
    const char *place = PQresultErrorField(result, PG_DIAG_CONTEXT);

    if (place == NULL || strncmp(place, "COPY ", 5) != 0)
        return "";
    return weir_printf(call, " (%s)", weir_copy(call, place, strcspn(place, ":\n")));
}

const char *words_of(weir_call *call, const PGresult *result)
{
    const char *message = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail;

    if (message == NULL)
        return NULL;
    detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (is_raised(result))
        return "a trigger or function of the database raised an error, whose words the server's log has";
    if (is_about_values(result)) {
        message = without_values(call, result, message);
        detail = NULL;
    }
    return words_in_one_line(call, weir_printf(call, "%s%s%s%s", message, detail != NULL ? " - " : "",
                                               detail != NULL ? detail : "", place_of(call, result)));
}
