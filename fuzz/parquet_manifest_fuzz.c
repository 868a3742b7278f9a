/*
 * fuzz/parquet_manifest: the manifest of a table of destination-parquet, as somebody else may have left it.
 *
 * Attacked: nothing outside of the text is read; a part's name leads nowhere but into the table's folder;
 * what is read is written as a text that reads as the same, and then stays as it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/call.h"

#include "../connectors/destination-parquet/manifest.c"

static void must(bool condition)
{
    if (!condition)
        abort();
}

static weir_status use(weir_call *call, void *context)
{
    char *text = context;
    manifest first = { 0 }, second = { 0 };
    const char *written, *again;
    char *copy;

    if (manifest_parse(call, text, strlen(text), &first) != NULL)
        return WEIR_OK;
    must(first.column_count > 0);
    for (size_t i = 0; i < first.part_count; i++)
        must(strncmp(first.parts[i].file, "part-", 5) == 0 &&
             strpbrk(first.parts[i].file, "/'\\*?[") == NULL);
    written = manifest_text(call, &first);
    copy = weir_alloc(call, strlen(written) + 1);
    memcpy(copy, written, strlen(written) + 1);
    must(manifest_parse(call, copy, strlen(copy), &second) == NULL);
    must(second.part_count == first.part_count && second.version == first.version);
    again = manifest_text(call, &second);
    must(strcmp(written, again) == 0);
    return WEIR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;
    weir_call call;

    if (size > 1 << 20 || memchr(data, '\0', size) != NULL)
        return 0;
    text = malloc(size + 1);
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    must(weir__call_init(&call, NULL));
    weir__call_run(&call, "fuzz", 0, use, text);
    must(call.failure == WEIR_OK);
    weir__call_clear(&call);
    free(text);
    return 0;
}
