/* wire/schema: looking up generated descriptors; see schema.h for the contract. */
#include "wire/schema.h"

#include <string.h>

#include "wire/schema_tables.h"

/* As strcmp between `name` and the terminated `text`. */
static int compare(weir_bytes name, const char *text)
{
    size_t size = strlen(text);
    int order = name.size > 0 ? memcmp(name.data, text, name.size < size ? name.size : size) : 0;

    return order != 0 ? order : name.size < size ? -1 : name.size > size;
}

const weir_schema_file *weir__schema_file(weir_bytes name)
{
    for (size_t i = 0; i < weir__schema_file_count; i++)
        if (compare(name, weir__schema_files[i].name) == 0)
            return &weir__schema_files[i];
    return NULL;
}

const weir_schema_file *weir__schema_file_of(weir_bytes symbol)
{
    size_t low = 0;
    size_t high = weir__schema_symbol_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(symbol, weir__schema_symbols[middle].name);

        if (order == 0)
            return &weir__schema_files[weir__schema_symbols[middle].file];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
