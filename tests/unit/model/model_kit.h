/*
 * What the model's tests share: rows written as text, so that a test reads like the tables of the rules.
 *
 * A row is cells separated by `|`; blanks around a cell do not count. `-` is NULL, `~` is unmodified,
 * anything else is the value's text form (data/text.h). `T5` is the time 1970-01-01T00:00:05Z, `T5-1` a
 * millisecond before it, `MAX` the end of time.
 */
#ifndef WEIR_TESTS_MODEL_KIT_H
#define WEIR_TESTS_MODEL_KIT_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "data/text.h"
#include "model/model.h"

#define KIT_MEMORY_MAX ((size_t)1 << 30)

typedef struct kit {
    weir_model *model;
    weir_arena *arena; /* of the test */
    weir_error err;
} kit;

static inline int kit_open(void **state)
{
    kit *k = calloc(1, sizeof *k);

    k->model = weir__model_new();
    k->arena = weir__arena_new(KIT_MEMORY_MAX);
    *state = k;
    return 0;
}

static inline int kit_close(void **state)
{
    kit *k = *state;

    weir__model_free(k->model);
    weir__arena_free(k->arena);
    free(k);
    assert_int_equal(weir__alloc_live(), 0);
    return 0;
}

/* `T5-1` and the like as a time; NULL when the text is not of that form. */
static inline const char *kit_time(weir_arena *arena, const char *text)
{
    char *end;
    long seconds;
    int millis;

    if (strcmp(text, "MAX") == 0)
        return "9999-12-31T23:59:59.999Z";
    if (text[0] != 'T')
        return NULL;
    seconds = strtol(text + 1, &end, 10);
    if (end == text + 1 || (*end != '\0' && strcmp(end, "-1") != 0))
        return NULL;
    millis = *end != '\0' ? 999 : 0;
    seconds -= *end != '\0';
    return weir__arena_printf(arena, "1970-01-01T%02ld:%02ld:%02ld.%03dZ", seconds / 3600, seconds / 60 % 60,
                              seconds % 60, millis);
}

static inline weir_cell kit_cell(weir_arena *arena, const weir_column *column, const char *text)
{
    weir_cell cell = { .column = column->name, .type = column->type };
    const char *time = kit_time(arena, text);
    char *copy;

    if (strcmp(text, "-") == 0 || strcmp(text, "~") == 0) {
        cell.presence = text[0] == '-' ? WEIR_NULL : WEIR_UNMODIFIED;
        return cell;
    }
    if (time != NULL && column->type == WEIR_UTC_DATETIME)
        text = time;
    copy = weir__arena_copy(arena, text, strlen(text));
    if (!weir__text_parse(&cell, copy, strlen(copy)))
        fail_msg("'%s' is no %s", text, weir_type_name(column->type));
    return cell;
}

/* A cell's text without the blanks around it; moves *at behind it. */
static inline const char *kit_word(weir_arena *arena, const char **at)
{
    const char *begin = *at + strspn(*at, " ");
    const char *bar = strchr(begin, '|');
    const char *end = bar != NULL ? bar : begin + strlen(begin);

    *at = bar != NULL ? bar + 1 : end;
    while (end > begin && end[-1] == ' ')
        end--;
    return weir__arena_copy(arena, begin, (size_t)(end - begin));
}

static inline weir_cell *kit_row(weir_arena *arena, const weir_table *table, const char *text)
{
    weir_cell *cells = weir__arena_array(arena, table->column_count, sizeof *cells);

    for (size_t i = 0; i < table->column_count; i++)
        cells[i] = kit_cell(arena, &table->columns[i], kit_word(arena, &text));
    assert_string_equal(text, "");
    return cells;
}

/* Rows of texts; the list ends with NULL. */
static inline weir_model_rows kit_rows(weir_arena *arena, const weir_table *table, const char *const *texts)
{
    size_t count = 0;
    weir_row *rows;

    while (texts != NULL && texts[count] != NULL)
        count++;
    rows = weir__arena_array(arena, count + 1, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = (weir_row){ WEIR_REPLACE, kit_row(arena, table, texts[i]), table->column_count };
    return (weir_model_rows){ rows, count };
}

#define ROWS(...) ((const char *const[]){ __VA_ARGS__, NULL })

typedef struct kit_batch {
    const char *const *earliest;
    const char *const *replace;
    const char *const *update;
    const char *const *remove;
} kit_batch;

static inline weir_model_batch kit_fill(weir_arena *arena, const weir_table *table, kit_batch rows)
{
    return (weir_model_batch){ table, kit_rows(arena, table, rows.earliest),
                               kit_rows(arena, table, rows.replace), kit_rows(arena, table, rows.update),
                               kit_rows(arena, table, rows.remove) };
}

static inline void kit_create(kit *k, const weir_table *table)
{
    if (weir__model_create(k->model, table, &k->err) != WEIR_OK)
        fail_msg("%s", k->err.text);
}

/* A batch whose columns are those of `table`. */
static inline void kit_write(kit *k, const weir_table *table, kit_batch rows)
{
    weir_model_batch batch = kit_fill(k->arena, table, rows);

    if (weir__model_write(k->model, &batch, &k->err) != WEIR_OK)
        fail_msg("%s", k->err.text);
}

static inline void kit_write_history(kit *k, const weir_table *table, kit_batch rows)
{
    weir_model_batch batch = kit_fill(k->arena, table, rows);

    if (weir__model_write_history(k->model, &batch, &k->err) != WEIR_OK)
        fail_msg("%s", k->err.text);
}

static inline void kit_migrate(kit *k, const weir_migration what)
{
    if (weir__model_migrate(k->model, &what, &k->err) != WEIR_OK)
        fail_msg("%s", k->err.text);
}

static inline void kit_text(char *out, size_t room, const weir_cell *cell)
{
    char text[512];
    size_t size = 1;

    if (cell->presence == WEIR_VALUE)
        size = weir__text_format(cell, text);
    else
        text[0] = cell->presence == WEIR_NULL ? '-' : '~';
    assert_true(size < sizeof text);
    snprintf(out + strlen(out), room - strlen(out), "|%.*s", (int)size, text);
}

/*
 * The table holds exactly these rows, whose order does not matter; each is written in the columns of `table`,
 * which are all columns of the model's table.
 */
static inline void kit_expect(kit *k, const weir_table *table, const char *const *texts)
{
    const weir_model_table *found = weir__model_find(k->model, table->schema, table->name);
    weir_model_rows expected = kit_rows(k->arena, table, texts);
    size_t columns[64];

    assert_non_null(found);
    assert_int_equal(weir__model_columns(found)->column_count, table->column_count);
    for (size_t c = 0; c < table->column_count; c++) {
        columns[c] = 0;
        while (strcmp(weir__model_columns(found)->columns[columns[c]].name, table->columns[c].name) != 0)
            assert_true(++columns[c] < table->column_count);
    }
    assert_int_equal(weir__model_row_count(found), expected.count);
    for (size_t i = 0; i < expected.count; i++) {
        char wanted[4096] = "";
        bool there = false;

        for (size_t c = 0; c < table->column_count; c++)
            kit_text(wanted, sizeof wanted, &expected.rows[i].cells[c]);
        for (size_t r = 0; r < weir__model_row_count(found) && !there; r++) {
            char got[4096] = "";

            for (size_t c = 0; c < table->column_count; c++)
                kit_text(got, sizeof got, &weir__model_row(found, r).cells[columns[c]]);
            there = strcmp(wanted, got) == 0;
            if (!there && getenv("KIT_VERBOSE") != NULL)
                printf("  not %s\n", got);
        }
        if (!there)
            fail_msg("no row %s", wanted);
    }
}

/* The call has failed in the wanted way, and the text has the words. */
static inline void kit_refused(const kit *k, weir_status status, weir_status wanted, const char *words)
{
    assert_int_equal(status, wanted);
    assert_int_equal(k->err.status, wanted);
    if (strstr(k->err.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, k->err.text);
}

#endif
