/*
 * tester/destination: the destination tester, file by file.
 *
 *   connect → form → tests → capabilities → per input file, in alphabetical order:
 *     describe its tables → create or alter → operations → migrations → describe → compare with the model
 *
 * Time is virtual: operations are stamped one second apart (--disable-operation-delay: one millisecond; the
 * same millisecond under the official profile) from the wall clock on, or from 2026 on with --seed. Nobody
 * waits.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/table.h"
#include "duckdb/duck.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "tester/destination_rows.h"

#define SEEDED_START_MS INT64_C(1767225600000) /* 2026-01-01 */
#define CONFIGURATION "configuration.json"

/* --- what is known of tables --- */

destination_table *destination_find(const destination *d, const char *name)
{
    return weir__map_get(&d->tables, weir__text(name));
}

destination_table *destination_add(destination *d, const char *name)
{
    destination_table *table = destination_find(d, name);

    if (table != NULL)
        return table;
    table = weir__arena_alloc(d->arena, sizeof *table);
    if (table == NULL)
        return NULL;
    table->name = weir__arena_copy(d->arena, name, strlen(name));
    if (table->name == NULL || !weir__map_put(&d->tables, weir__text(table->name), table))
        return NULL;
    return table;
}

void destination_forget_rows(destination *d, destination_table *table, const char *why)
{
    if (table->unknown_rows)
        return;
    table->unknown_rows = true;
    table->why = weir__arena_copy(d->arena, why, strlen(why));
    tester_warn(d->t, "The rows of '%s' will not be checked: %s", table->name, why);
}

weir_status destination_mark(destination *d, weir_map *set, const char *name, weir_error *err)
{
    char *copy;

    if (weir__map_get(set, weir__text(name)) != NULL)
        return WEIR_OK;
    copy = weir__arena_copy(d->arena, name, strlen(name));
    if (copy == NULL || !weir__map_put(set, weir__text(copy), copy))
        return weir__error_memory(err, "remembering a column");
    return WEIR_OK;
}

weir_table *destination_shape(const destination *d, const destination_table *table, weir_arena *arena)
{
    const weir_table *all = weir__model_describe(d->model, d->options->schema, table->name);
    weir_table *out = all != NULL ? weir__table_copy(all, arena) : NULL;
    weir_column *columns = out != NULL ? weir__arena_array(arena, out->column_count, sizeof *columns) : NULL;
    size_t count = 0;

    if (columns == NULL)
        return NULL;
    for (size_t i = 0; i < out->column_count; i++)
        if (weir__map_get(&table->left, weir__text(out->columns[i].name)) == NULL)
            columns[count++] = out->columns[i];
    out->columns = columns;
    out->column_count = count;
    return out;
}

weir_time destination_tick(destination *d)
{
    weir_time time;

    if (!d->options->no_delay)
        d->now_ms += 1000;
    else if (!d->official)
        d->now_ms += 1;
    time.seconds = d->now_ms / 1000;
    time.nanos = (int32_t)(d->now_ms % 1000) * 1000000;
    return time;
}

/* --- input files --- */

static bool ends_in(const char *name, const char *end)
{
    size_t size = strlen(name);

    return size > strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

/* Paths of the input files, in alphabetical order. */
static weir_status list_files(destination *d, const char ***out, size_t *count, weir_error *err)
{
    const char *folder = d->options->folder;
    weir_folder_entry *entries = NULL;
    size_t total = 0;
    const char **paths;
    weir_status status = weir__folder_list(folder, d->arena, &entries, &total, err);

    if (status != WEIR_OK)
        return tester_blame(d->t, TESTER_USAGE, status);
    paths = weir__arena_array(d->arena, total + 1, sizeof *paths);
    if (paths == NULL)
        return weir__error_memory(err, "listing input files");
    *count = 0;
    for (size_t i = 0; i < total; i++) {
        if (entries[i].folder || !ends_in(entries[i].name, ".json") || entries[i].name[0] == '.' ||
            strcmp(entries[i].name, CONFIGURATION) == 0)
            continue;
        paths[*count] = weir__arena_printf(d->arena, "%s/%s", folder, entries[i].name);
        if (paths[(*count)++] == NULL)
            return weir__error_memory(err, "listing input files");
    }
    if (*count == 0) {
        weir__error(err, "there are no input files (*.json) in '%s'; see --working-dir", folder);
        return tester_blame(d->t, TESTER_USAGE, WEIR_FAILED);
    }
    *out = paths;
    return WEIR_OK;
}

static bool exists(const char *path)
{
    weir_file *file = NULL;
    weir_status status = weir__file_open_named(path, &file, NULL);

    weir__file_close(file);
    return status == WEIR_OK;
}

/* --input-file: a name in the data folder, or a path. */
static weir_status find_file(destination *d, const char ***out, size_t *count, weir_error *err)
{
    const char *name = d->options->input_file;
    const char **paths = weir__arena_array(d->arena, 1, sizeof *paths);

    if (name == NULL)
        return list_files(d, out, count, err);
    if (paths == NULL)
        return weir__error_memory(err, "finding the input file");
    paths[0] = name[0] == '/' ? name : weir__arena_printf(d->arena, "%s/%s", d->options->folder, name);
    if (paths[0] == NULL)
        return weir__error_memory(err, "finding the input file");
    if (!exists(paths[0]))
        paths[0] = name; /* as the shell sees it */
    *out = paths;
    *count = 1;
    return WEIR_OK;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void tell_leniency(void *context, const char *told)
{
    tester_warn(context, "%s", told);
}

static void tell_nobody(void *context, const char *told)
{
    (void)context;
    (void)told;
}

/* Reads and checks a file. Its text is in `text`, the rest in `arena`. */
static weir_status read_file(destination *d, const char *path, weir_arena *arena, weir_buf *text,
                             input_file *out, weir_error *err)
{
    input_text in = { .name = last_part(path) };
    weir_status status = weir__file_load(path, text, err);

    if (status == WEIR_NOT_FOUND)
        status = weir__error(err, "there is no input file '%s'", path);
    in.text = weir__buf_bytes(text);
    if (status == WEIR_OK)
        status = input_parse(&in, &d->rules, arena, out, err);
    return status == WEIR_OK ? status : tester_blame(d->t, TESTER_USAGE, status);
}

/* Before anything is called: is every file what it should be? */
static weir_status check_file(destination *d, const char *path, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_TESTER_INPUT_NODES_MAX);
    input_file file;
    weir_buf text;
    weir_status status;

    weir__buf_init(&text, WEIR_TESTER_INPUT_SIZE_MAX);
    d->rules.tell = tell_nobody; /* it will be told when the file is run */
    status = arena != NULL ? read_file(d, path, arena, &text, &file, err)
                           : weir__error_memory(err, "reading an input file");
    d->rules.tell = tell_leniency;
    weir__buf_clear(&text);
    weir__arena_free(arena);
    return status;
}

/* --- one file --- */

/* Plans and readers belong to a file. */
static void drop_plans(destination *d)
{
    for (size_t i = 0; i < d->tables.count; i++) {
        destination_table *table = d->tables.entries[i].value;

        write_plan_free(table->plan);
        row_reader_free(table->rows);
        table->plan = NULL;
        table->rows = NULL;
        table->shape = NULL;
        table->touched = false;
    }
}

static weir_status run_steps(destination *d, weir_error *err)
{
    weir_status status = destination_check_rows(d, err);

    if (status == WEIR_OK && d->options->fresh)
        status = destination_drop_tables(d, err);
    if (status == WEIR_OK)
        status = destination_prepare_tables(d, err);
    if (status == WEIR_OK)
        status = destination_run_ops(d, err);
    if (status == WEIR_OK)
        status = destination_run_migrations(d, err);
    if (status == WEIR_OK)
        status = destination_compare(d, err);
    return status;
}

static const char *base_name(destination *d, const char *path)
{
    const char *name = last_part(path);
    const char *dot = strrchr(name, '.');

    return weir__arena_copy(d->arena, name, dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name));
}

static weir_status run_file(destination *d, const char *path, weir_error *err)
{
    size_t faults = tester_faults(d->t);
    input_file file;
    weir_buf text;
    weir_status status;

    weir__buf_init(&text, WEIR_TESTER_INPUT_SIZE_MAX);
    d->base = base_name(d, path);
    d->file_arena = weir__arena_new(WEIR_TESTER_INPUT_NODES_MAX);
    status = d->file_arena != NULL && d->base != NULL ? read_file(d, path, d->file_arena, &text, &file, err)
                                                      : weir__error_memory(err, "reading an input file");
    if (status == WEIR_OK) {
        d->file = &file;
        tester_say(d->t, "Processing file: %s", last_part(path));
        status = run_steps(d, err);
    }
    drop_plans(d);
    d->file = NULL;
    weir__arena_free(d->file_arena);
    d->file_arena = NULL;
    weir__buf_clear(&text);
    if (status != WEIR_OK)
        tester_show_error(d->t, err);
    if (status != WEIR_OK || tester_faults(d->t) > faults) {
        tester_fault(d->t, "Failed to process file: %s", last_part(path));
    } else {
        tester_say(d->t, "Processed file: %s", last_part(path));
    }
    tester_list(d->t, status == WEIR_OK && tester_faults(d->t) == faults ? "files.passed" : "files.failed",
                last_part(path));
    return status;
}

/* --- the run --- */

static weir_status choose_format(destination *d, weir_error *err)
{
    bool wanted = false;
    weir_status status = destination_capabilities(d->calls, &wanted, err);

    if (status != WEIR_OK)
        return status;
    d->parquet = d->options->has_batch_type ? d->options->parquet : wanted;
    if (d->options->has_batch_type && wanted != d->parquet)
        tester_warn(d->t, "The destination's Capabilities ask for %s files, --batch-file-type for %s",
                    wanted ? "PARQUET" : "CSV", wanted ? "CSV" : "PARQUET");
    return d->parquet ? duck_load("Parquet batch files", err) : WEIR_OK;
}

static weir_status open_run(destination *d, weir_error *err)
{
    weir_status status = tester_setup_open(d->t, &d->setup, err);

    if (status != WEIR_OK)
        return status;
    d->calls = destination_calls_new(d->t, d->setup);
    if (d->calls == NULL)
        return weir__error_memory(err, "preparing calls");
    status = choose_format(d, err);
    if (status != WEIR_OK)
        return status;
    d->model = weir__model_new();
    d->emit = emitter_new(d->options, d->parquet);
    if (d->model == NULL || d->emit == NULL)
        return weir__error_memory(err, "starting");
    d->now_ms = d->options->has_seed ? SEEDED_START_MS : weir__clock_wall_ms();
    return WEIR_OK;
}

static void close_run(destination *d)
{
    destination_close_rows(d);
    for (size_t i = 0; i < d->tables.count; i++) {
        destination_table *table = d->tables.entries[i].value;

        weir__map_clear(&table->left);
        weir__map_clear(&table->doubtful);
        weir__map_clear(&table->maybe_gone);
    }
    weir__map_clear(&d->tables);
    emitter_free(d->emit);
    weir__model_free(d->model);
    destination_calls_free(d->calls);
    tester_setup_close(d->setup);
    weir__arena_free(d->arena);
}

weir_status destination_tester_run(tester *t, weir_error *err)
{
    destination d = { .t = t, .options = tester_options_of(t) };
    const char **paths = NULL;
    size_t count = 0;
    weir_status status = WEIR_OK;

    d.official = d.options->profile == TESTER_OFFICIAL;
    d.rules = (input_rules){ .lenient = d.official, .tell = tell_leniency, .context = t };
    weir__map_init(&d.tables, 0);
    d.arena = weir__arena_new(WEIR_TESTER_INPUT_NODES_MAX);
    if (d.arena == NULL)
        return weir__error_memory(err, "starting");
    status = find_file(&d, &paths, &count, err);
    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = check_file(&d, paths[i], err);
    if (status == WEIR_OK)
        status = destination_open_rows(&d, err);
    if (status == WEIR_OK)
        status = open_run(&d, err);
    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = run_file(&d, paths[i], err);
    close_run(&d);
    return status;
}
