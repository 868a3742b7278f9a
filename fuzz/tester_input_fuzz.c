/*
 * Attacks the reader of input files, from its JSON to the rows in requests.
 *
 * Invariants: what our JSON reader takes, jansson takes, too, and the other way round (but for depth, a byte
 * order mark, and numbers that jansson cannot hold); what production accepts, official accepts without a
 * word; every row kept as text can be read when it is needed; a request has every row that was added, and no
 * more than that; an error always has a text, which names the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/map.h"
#include "tester/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY ((size_t)64 << 20)

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void count_told(void *context, const char *told)
{
    must(strstr(told, "'f'") != NULL);
    (*(size_t *)context)++;
}

static void try_json(const input_text *in, weir_arena *arena)
{
    const unsigned flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK |
                           JSON_DECODE_INT_AS_REAL;
    const input_value *root;
    json_error_t other = { .text = "" };
    weir_error err = { .text = "" };
    size_t end;
    bool ours = input_json_parse(in, 0, arena, &root, &end, &err) == WEIR_OK;
    json_t *theirs = json_loadb(in->text.data, in->text.size, flags, &other);

    if (ours && theirs == NULL)
        must(strstr(other.text, "number overflow") != NULL || strstr(other.text, "too big") != NULL ||
             memcmp(in->text.data, "\xEF\xBB\xBF", 3) == 0);
    if (!ours && theirs != NULL &&
        memchr(in->text.data, 0, in->text.size) == NULL) /* jansson skips some NULs */
        must(strstr(err.text, "too deep") != NULL || strstr(err.text, "not UTF-8") != NULL);
    must(ours || strstr(err.text, "'f', line ") != NULL);
    json_decref(theirs);
}

/* The rows of a table that the file creates, through reader and plan. */
static void try_rows(const input_file *file, const input_table *from, const input_rules *rules,
                     weir_arena *arena)
{
    weir_table *table = write_plan_full_table("s", from, arena);
    bool *doubtful = table != NULL ? weir__arena_array(arena, table->column_count + 1, sizeof(bool)) : NULL;
    row_table shape = { .table = table, .history = from->history, .doubtful = doubtful };
    plan_options options = { .table = table, .history = from->history, .official = rules->lenient };
    row_reader *reader = doubtful != NULL ? row_reader_new(&file->text, rules, &shape) : NULL;
    write_plan *p = reader != NULL ? write_plan_new(&options) : NULL;
    plan_request request;
    weir_error err = { .text = "" };
    input_row row;
    size_t added = 0;

    for (size_t i = 0; p != NULL && i < file->step_count; i++) {
        const input_step *step = &file->steps[i];

        if (step->rows == NULL || strcmp(step->table, table->name) != 0)
            continue;
        for (const input_value *raw = step->rows->first; raw != NULL; raw = raw->next) {
            if (row_read(reader, step->op, raw, write_plan_arena(p), &row, &err) != WEIR_OK) {
                must(strstr(err.text, "'f', line ") != NULL);
                continue;
            }
            added += write_plan_add(p, &row, (weir_time){ .seconds = 1 }, &err) == WEIR_OK;
        }
    }
    if (p != NULL && write_plan_take(p, &request, &err) == WEIR_OK) {
        size_t rows = request.kinds[PLAN_REPLACE].count + request.kinds[PLAN_UPDATE].count +
                      request.kinds[PLAN_DELETE].count;

        must(rules->lenient ? rows == added : rows <= added);
        must((rows == 0) == (added == 0));
    }
    write_plan_free(p);
    row_reader_free(reader);
}

static bool try_file(const input_text *in, bool lenient, size_t *told)
{
    input_rules rules = { .lenient = lenient, .tell = count_told, .context = told };
    weir_arena *arena = weir__arena_new(MEMORY);
    weir_error err = { .text = "" };
    input_file file;
    bool taken;

    must(arena != NULL);
    taken = input_parse(in, &rules, arena, &file, &err) == WEIR_OK;
    must(taken || strstr(err.text, "'f', line ") != NULL);
    for (size_t i = 0; taken && i < file.step_count; i++)
        for (const input_value *raw = file.steps[i].rows ? file.steps[i].rows->first : NULL; raw;
             raw = raw->next) {
            const input_value *row;

            must(input_json_row(in, raw, arena, &row, &err) == WEIR_OK && row->kind == INPUT_OBJECT);
        }
    rules.context = &(size_t){ 0 }; /* what rows have to tell is not counted */
    for (size_t i = 0; taken && i < file.created_count && i < 4; i++)
        try_rows(&file, &file.created[i], &rules, arena);
    weir__arena_free(arena);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 4);
    input_text in = { .name = "f" };
    weir_arena *arena = weir__arena_new(MEMORY);
    size_t told = 0;

    must(text != NULL && arena != NULL);
    memset(text, 0, size + 4);
    if (size > 0)
        memcpy(text, data, size);
    in.text = (weir_bytes){ text, size };
    try_json(&in, arena);
    if (try_file(&in, false, &told)) {
        must(told == 0);
        must(try_file(&in, true, &told));
        must(told == 0);
    } else {
        (void)try_file(&in, true, &told);
    }
    weir__arena_free(arena);
    free(text);
    return 0;
}
