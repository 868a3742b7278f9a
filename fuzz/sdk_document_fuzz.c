/*
 * What a store gives back to a destination that keeps documents: any bytes at all. Attacks: a parse that
 * reads past the end, a walk that does not agree with the parse, text that is no UTF-8, a merge that loses a
 * member. jansson is the judge of what is JSON.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/utf8.h"
#include "data/json.h"
#include "sdk/call.h"
#include "sdk/document.h"

static void must(bool condition)
{
    if (!condition)
        abort();
}

static size_t count_members(const weir_json_value *value, char *room)
{
    weir_json_walk walk = weir__json_walk(value);
    weir_json_value name;
    weir_json_value item;
    size_t count = 0;

    while (weir__json_next(&walk, value->kind == WEIR_JSON_OBJECT ? &name : NULL, &item)) {
        must(item.text.data >= value->text.data &&
             item.text.data + item.text.size <= value->text.data + value->text.size);
        if (value->kind == WEIR_JSON_OBJECT)
            must(weir__utf8_valid(room, weir__json_decode(&name, room)));
        if (item.kind == WEIR_JSON_STRING)
            must(weir__utf8_valid(room, weir__json_decode(&item, room)));
        count_members(&item, room);
        count++;
    }
    return count;
}

static weir_status use(weir_call *call, void *context)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "d", .type = WEIR_DECIMAL, .key = true },
                                           { .name = "b", .type = WEIR_BINARY },
                                           { .name = "s", .type = WEIR_STRING },
                                           { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME } };
    const weir_table table = { .name = "t", .columns = columns, .column_count = 5 };
    const weir_truncation soft = { "", "t", "_fivetran_synced", { 1000, 1 }, "s" };
    const char *json = context;
    weir_table described = { .name = "t" };
    weir_json_value merged;
    const char *text;
    weir_row row;

    if (weir_table_from_json(call, json, &described) == WEIR_OK)
        must(described.column_count > 0);
    call->failure = WEIR_OK;
    text = weir_json_merge(call, json, "{\"id\":7,\"new\":\"x\"}");
    must(weir__json_parse(weir__text(text), &merged) && merged.kind == WEIR_JSON_OBJECT);
    weir_json_truncate(call, &soft, json);
    weir_row_from_json(call, &table, text, &row);
    must(row.count == 5 && row.cells[0].as.integer == 7);
    text = weir_row_json(call, &row);
    must(weir__json_parse(weir__text(text), &merged));
    must(weir_row_key(call, &table, &row)[0] == '[');
    return WEIR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *room = malloc(size + 1);
    weir_json_value value;
    json_t *judge;
    bool good;

    if (text == NULL || room == NULL || size > 1 << 20)
        goto out;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    good = weir__json_parse((weir_bytes){ text, size }, &value);
    /* jansson takes a bare NUL for the end of the text. */
    judge = memchr(text, '\0', size) == NULL ? json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                                             : NULL;
    if (judge != NULL && !good) { /* only what is nested too deep */
        size_t depth = 0;

        for (size_t i = 0; i < size; i++)
            depth += text[i] == '[' || text[i] == '{';
        must(depth > 64);
    }
    if (judge != NULL && good && json_is_string(judge)) {
        must(weir__json_decode(&value, room) == json_string_length(judge));
        must(memcmp(room, json_string_value(judge), json_string_length(judge)) == 0);
    }
    if (judge != NULL && good && json_is_array(judge))
        must(count_members(&value, room) == json_array_size(judge));
    if (judge != NULL && good && json_is_object(judge)) /* jansson joins members of one name */
        must(count_members(&value, room) >= json_object_size(judge));
    json_decref(judge);
    if (good && memchr(text, '\0', size) == NULL) {
        weir_call call;

        must(weir__call_init(&call, NULL));
        weir__call_run(&call, "fuzz", 0, use, text);
        must(call.failure == WEIR_OK || call.text_size > 0);
        weir__call_clear(&call);
    }
out:
    free(text);
    free(room);
    return 0;
}
