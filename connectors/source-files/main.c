/*
 * source-files: a folder of CSV and JSON files as tables.
 *
 * A sync lists the folder and compares it with the state. Per table, the new and changed files are scanned
 * once to learn the columns and their types, the table is announced, and the files are sent: row n of a file
 * has the key (`_file`, `_line`), so that a changed file replaces its rows, and the rows past its new end,
 * like those of a file that is gone, are deleted. A checkpoint follows every file and every 245,760 rows of a
 * long one. A table that needs a person (a malformed file, other keys) is found by the scan, before anything
 * of it was sent: it waits until the other tables are done, and its task ends the sync.
 */
#include <stdlib.h>

#include "files.h"

#define CHECKPOINT_ROWS 245760 /* two row groups of a columnar store */

typedef struct sync_run {
    weir_call *call;
    weir_sync *out;
    json_t *state;
    table *t;
    const file_entry *file;
    file_mark mark;
    int64_t skip; /* rows that an interrupted sync has sent already */
    bool sending; /* the scan is over: a task can no longer wait */
} sync_run;

/* Delete rows `first` to `last` of a file. */
static weir_status delete_rows(sync_run *run, const char *path, int64_t first, int64_t last)
{
    weir_status status = WEIR_OK;

    for (int64_t line = first; status == WEIR_OK && line <= last; line++)
        status = weir_delete(run->out, &run->t->shape,
                             WEIR_CELLS(weir_string("_file", path), weir_long("_line", line)));
    return status;
}

/* Finds the columns of a row whose names are not those of the row before; what it does not have is NULL. */
static weir_status take_names(sync_run *run, const row_fields *row)
{
    table *t = run->t;

    (void)table_place(run->call, t, row);
    if (t->count > t->shape.column_count)
        return weir_fail(run->call, "'%s' changed while it was being read", run->file->path);
    for (size_t i = COLUMN_FIRST; i < t->count; i++)
        t->cells[i] = weir_null(t->columns[i].name);
    return WEIR_OK;
}

static void make_cells(sync_run *run, const row_fields *row)
{
    table *t = run->t;
    /* In microseconds, which every destination keeps. */
    weir_time modified = { run->file->modified_ns / 1000000000,
                           (int32_t)(run->file->modified_ns % 1000000000 / 1000 * 1000) };

    t->cells[COLUMN_FILE] = weir_string("_file", run->file->path);
    t->cells[COLUMN_LINE] = weir_long("_line", row->line);
    t->cells[COLUMN_MODIFIED] = weir_utc_datetime("_modified", modified);
    for (size_t i = 0; i < row->count; i++) {
        const table_column *column = &t->columns[t->places[i]];

        t->cells[t->places[i]] = traits_cell(&column->known, column->name, &row->items[i]);
    }
}

static weir_status send_row(void *context, const row_fields *row)
{
    sync_run *run = context;
    weir_status status = row->same_names ? WEIR_OK : take_names(run, row);
    const char *column;

    if (status != WEIR_OK || row->line <= run->skip)
        return status;
    make_cells(run, row);
    column = table_key_without_value(run->t, row); /* again: the file may have changed since the scan */
    if (column != NULL)
        return table_lacks_key(run->call, run->t, run->file->path, column, row->line);
    status = weir_upsert(run->out, &run->t->shape, run->t->cells, run->t->count);
    run->mark.rows = row->line;
    if (status == WEIR_OK && row->line % CHECKPOINT_ROWS == 0) {
        state_set_mark(run->state, run->file, &run->mark);
        status = state_save(run->call, run->out, run->state);
    }
    return status;
}

static weir_status send_file(sync_run *run, const file_entry *file)
{
    const row_sink sink = { .row = send_row, .context = run };
    bool own_keys = run->t->keys != NULL;
    int64_t modified_ns = 0;
    int64_t size = 0;
    int64_t rows_old;
    file_mark old;
    weir_status status;

    state_mark(run->state, file->path, &old);
    rows_old = old.rows > old.rows_old ? old.rows : old.rows_old;
    run->file = file;
    run->skip = !old.done && old.modified_ns == file->modified_ns && old.size == file->size ? old.rows : 0;
    run->mark = (file_mark){
        .modified_ns = file->modified_ns, .size = file->size, .rows = run->skip, .rows_old = rows_old
    };
    status = rows_read(run->call, file, &sink);
    if (status != WEIR_OK)
        return status;
    if (folder_stat(run->call, file->path, &modified_ns, &size) != WEIR_OK ||
        modified_ns != file->modified_ns || size != file->size)
        return weir_fail(run->call, "'%s' changed while it was being read", file->path);
    if (!own_keys) {
        status = delete_rows(run, file->path, run->mark.rows + 1, rows_old);
        if (status != WEIR_OK)
            return status;
    }
    run->mark.done = true;
    run->mark.rows_old = 0;
    state_set_mark(run->state, file, &run->mark);
    return state_save(run->call, run->out, run->state);
}

/* Deletes the rows of this table's files that are in the state and no longer in the folder. */
static weir_status delete_gone(sync_run *run, const file_list *files)
{
    json_t *known = json_object_get(run->state, "files");
    const char *path;
    json_t *saved;
    void *next;
    weir_status status = WEIR_OK;

    json_object_foreach_safe(known, next, path, saved)
    {
        const char *name = json_string_value(json_object_get(saved, "table"));
        bool there = false;
        file_mark mark;

        for (size_t i = 0; !there && i < files->count; i++)
            there = strcmp(files->items[i].path, path) == 0;
        if (there || name == NULL || strcmp(name, run->t->name) != 0)
            continue;
        state_mark(run->state, path, &mark);
        if (run->t->keys == NULL)
            status = delete_rows(run, path, 1, mark.rows > mark.rows_old ? mark.rows : mark.rows_old);
        if (status != WEIR_OK)
            return status;
        state_forget(run->state, path);
        status = state_save(run->call, run->out, run->state);
        if (status != WEIR_OK)
            return status;
    }
    return status;
}

/* One table: files [first, first + count) of the list. */
static weir_status send_table(sync_run *run, const file_list *files, const file_entry *first, size_t count)
{
    const char *const *keys = NULL;
    bool changed = false;
    weir_status status = keys_read(run->call, first->table, &keys);

    if (status != WEIR_OK)
        return status;
    run->sending = false;
    run->t = table_new(run->call, first->table, keys);
    if (!weir_selected(run->out, &(weir_table){ .name = first->table }, NULL))
        return delete_gone(run, files);
    state_table(run->call, run->state, run->t);
    status = scan_table(run->call, run->state, run->t, first, count, &changed);
    if (status != WEIR_OK)
        return status;
    if (keys != NULL && run->t->count == COLUMN_FIRST)
        return WEIR_OK; /* no row yet, and so no key column either */
    run->sending = true;
    table_declare(run->call, run->t);
    if (changed) {
        status = weir_schema_change(run->out, &run->t->shape);
        state_set_table(run->call, run->state, run->t);
    }
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (!state_has_all(run->state, &first[i]))
            status = send_file(run, &first[i]);
    return status == WEIR_OK ? delete_gone(run, files) : status;
}

/* True when the list has a file of the table. */
static bool has_table(const file_list *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].table, name) == 0)
            return true;
    return false;
}

/* Tables all of whose files are gone keep their columns and lose their rows. */
static weir_status empty_tables(sync_run *run, const file_list *files)
{
    json_t *tables = json_object_get(run->state, "tables");
    weir_status status = WEIR_OK;
    const char *member;
    json_t *columns;
    void *next;

    json_object_foreach_safe(tables, next, member, columns)
    {
        const char *name = state_table_name(run->call, member);
        const char *const *keys = NULL;

        if (has_table(files, name))
            continue;
        status = keys_read(run->call, name, &keys);
        if (status != WEIR_OK)
            return status;
        run->t = table_new(run->call, name, keys);
        status = state_check_keys(run->call, run->state, run->t);
        if (status != WEIR_OK)
            return status;
        state_table(run->call, run->state, run->t);
        table_declare(run->call, run->t);
        status = delete_gone(run, files);
        if (status != WEIR_OK)
            return status;
    }
    return status;
}

/*
 * All tables in turn. The first one that needs a person comes last, once more: what stops it is found again,
 * and is what the sync ends with.
 */
static weir_status send_tables(sync_run *run, const file_list *files)
{
    size_t waits = files->count;
    size_t waits_count = 0;
    weir_status status = WEIR_OK;

    for (size_t i = 0, end; i < files->count; i = end) {
        for (end = i + 1; end < files->count && strcmp(files->items[end].table, files->items[i].table) == 0;
             end++)
            ;
        status = send_table(run, files, &files->items[i], end - i);
        if (status == WEIR_TASK && !run->sending) {
            if (waits == files->count) {
                waits = i;
                waits_count = end - i;
            }
        } else if (status != WEIR_OK) {
            return status;
        }
    }
    status = empty_tables(run, files);
    if (status == WEIR_OK)
        status = state_save(run->call, run->out, run->state);
    if (status == WEIR_OK && waits < files->count)
        status = send_table(run, files, &files->items[waits], waits_count);
    return status;
}

/* Keys of a table that is not there, and never was, are likely a wrong name. */
static void warn_of_keys(sync_run *run, const file_list *files)
{
    const options *opt = weir_options(run->call);
    const char *rest = opt->keys;

    for (const char *name; (name = keys_table(run->call, &rest)) != NULL;)
        if (!has_table(files, name) && !state_knows(run->call, run->state, name))
            weir_warn(run->call,
                      "'Key columns' names the table '%s', of which the folder has no file. A table is "
                      "called as its file without the ending, or as its subfolder. Names compare exactly.",
                      name);
}

/* An unmounted share looks like an empty folder: its rows are not deleted for that. */
static weir_status check_empty(sync_run *run, const file_list *files)
{
    const options *opt = weir_options(run->call);
    size_t known = json_object_size(json_object_get(run->state, "files"));

    if (files->count > 0 || known == 0 || opt->allow_empty)
        return WEIR_OK;
    return weir_task(
        run->call,
        "The folder '%s' is empty, but %zu files were read from it before. If they were removed on "
        "purpose, set 'Allow an empty folder'; if not, check that the folder is mounted.",
        opt->folder, known);
}

static weir_status bad_name(weir_call *call, const file_list *files)
{
    if (files->bad == NULL)
        return WEIR_OK;
    return weir_task(call, "The name of the file '%s' is not UTF-8 or longer than 1,024 bytes. Rename it.",
                     files->bad);
}

static weir_status update(weir_call *call, weir_sync *out)
{
    sync_run run = { .call = call, .out = out };
    file_list files;
    weir_status status = keys_read(call, NULL, NULL);

    if (status == WEIR_OK)
        status = folder_list(call, &files);
    if (status != WEIR_OK)
        return status;
    run.state = state_load(call, out);
    status = check_empty(&run, &files);
    if (status == WEIR_OK) {
        warn_of_keys(&run, &files);
        status = send_tables(&run, &files);
    }
    json_decref(run.state);
    return status == WEIR_OK ? bad_name(call, &files) : status;
}

static weir_status test_folder(weir_call *call)
{
    const options *opt = weir_options(call);
    file_list files;
    weir_status status = folder_list(call, &files);

    if (status != WEIR_OK)
        return status;
    if (files.count == 0 && !opt->allow_empty)
        return weir_task(call,
                         "The folder holds no .csv, .tsv, .json, .jsonl or .ndjson file. Check the path.");
    return bad_name(call, &files);
}

static weir_status test_keys(weir_call *call)
{
    return keys_read(call, NULL, NULL);
}

static const weir_source source = {
    .name = "files",
    .form = WEIR_FORM(
        options,
        WEIR_TEXT(
            options, folder, .label = "Folder", .required = true, .placeholder = "/data/exports",
            .description =
                "Folder with CSV and JSON files. A file is a table; a subfolder is one table of many files."),
        WEIR_TEXT(options, keys, .label = "Key columns", .fallback = "",
                  .placeholder = "orders=id; items=order,line",
                  .description =
                      "Tables whose rows have a key of their own. Others are keyed by file and row number."),
        WEIR_TEXT(options, delimiter, .label = "Delimiter", .fallback = ",",
                  .description = "The character between the cells of a .csv file; \\t is a tab."),
        WEIR_TEXT(options, null_text, .label = "NULL text", .fallback = "", .placeholder = "NA",
                  .description = "A cell with this text is NULL, besides the empty cell."),
        WEIR_TOGGLE(
            options, allow_empty, .label = "Allow an empty folder", .fallback = "false",
            .description = "Delete all rows when the folder holds no file any more, instead of stopping.")),
    .tests = WEIR_TESTS({ "folder", "Reading the folder", test_folder },
                        { "keys", "Reading the key columns", test_keys }),
    .update = update,
};

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &source);
}
