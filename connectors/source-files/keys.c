/*
 * source-files: the option "table=column,column; table=…".
 *
 * Names compare exactly; blanks around them are not part of them. An entry that can't be understood is a
 * task: to go on without it would key the rows by something else.
 */
#include "files.h"

static weir_bytes trimmed(const char *text, size_t size)
{
    while (size > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        size--;
    }
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return (weir_bytes){ text, size };
}

static bool is_name(weir_bytes text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.data, name, text.size) == 0;
}

/* The columns of one entry, NULL-terminated; NULL when one is missing or named twice. */
static const char *const *columns_of(weir_call *call, const char *list, size_t size)
{
    const char **keys = weir_alloc(call, (size + 2) * sizeof *keys);
    size_t count = 0;

    for (size_t start = 0, end; start <= size; start = end + 1) {
        const char *comma = start < size ? memchr(list + start, ',', size - start) : NULL;
        weir_bytes column;

        end = comma ? (size_t)(comma - list) : size;
        column = trimmed(list + start, end - start);
        if (column.size == 0)
            return NULL;
        for (size_t i = 0; i < count; i++)
            if (is_name(column, keys[i]))
                return NULL;
        keys[count++] = weir_copy(call, column.data, column.size);
    }
    return keys;
}

/* Takes the next entry off *rest. *keys is NULL when there is none. */
static weir_status take_entry(weir_call *call, const char **rest, weir_bytes *name, const char *const **keys)
{
    weir_bytes entry = { NULL, 0 };
    const char *equals = NULL;

    *keys = NULL;
    *name = entry;
    while (entry.size == 0 && **rest != '\0') { /* a semicolon at the end has none behind it */
        size_t size = strcspn(*rest, ";");

        entry = trimmed(*rest, size);
        equals = memchr(*rest, '=', size);
        *rest += size + ((*rest)[size] == ';');
    }
    if (entry.size == 0)
        return WEIR_OK;
    if (equals != NULL) {
        *name = trimmed(entry.data, (size_t)(equals - entry.data));
        *keys = columns_of(call, equals + 1, (size_t)(entry.data + entry.size - (equals + 1)));
    }
    if (name->size > 0 && *keys != NULL)
        return WEIR_OK;
    return weir_task(call, "'Key columns': '%.*s' is no entry like 'table=column,column'.", (int)entry.size,
                     entry.data);
}

const char *keys_table(weir_call *call, const char **rest)
{
    const char *const *keys;
    weir_bytes name;

    if (take_entry(call, rest, &name, &keys) != WEIR_OK || keys == NULL)
        return NULL;
    return weir_copy(call, name.data, name.size);
}

weir_status keys_read(weir_call *call, const char *wanted, const char *const **out)
{
    const options *opt = weir_options(call);
    const char *const *found = NULL;
    const char *rest = opt->keys;

    for (;;) {
        const char *const *keys;
        weir_bytes name;
        weir_status status = take_entry(call, &rest, &name, &keys);

        if (status != WEIR_OK)
            return status;
        if (keys == NULL)
            break;
        if (wanted == NULL || !is_name(name, wanted))
            continue;
        if (found != NULL)
            return weir_task(call, "'Key columns' names the table '%s' twice.", wanted);
        found = keys;
    }
    if (out != NULL)
        *out = found;
    return WEIR_OK;
}
