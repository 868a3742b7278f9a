/*
 * source-files: a folder of CSV and JSON files as tables.
 *
 * A sync lists the folder and compares it with the state. Per table, the new and changed files are scanned
 * once to learn the columns and their types, the table is announced, and the files are sent: row n of a file
 * has the key (`_file`, `_line`), so that a changed file replaces its rows, and the rows past its new end,
 * like those of a file that is gone, are deleted. A checkpoint follows every file and every 100,000 rows of a
 * long one.
 */
#include <stdlib.h>

#include "files.h"

#define CHECKPOINT_ROWS 100000

typedef struct sync_run {
    weir_call *call;
    weir_sync *out;
    json_t *state;
    table *t;
    const file_entry *file;
    file_mark mark;
    int64_t skip; /* rows that an interrupted sync has sent already */
} sync_run;

/*
 * The key columns chosen for a table in the option "table=column,column; table=…"; NULL when there are none.
 */
static const char *const *keys_of(weir_call *call, const char *name)
{
    const options *opt = weir_options(call);
    const char *rest = opt->keys;

    while (*rest != '\0') {
        size_t entry = strcspn(rest, ";");
        size_t blank = strspn(rest, " ");
        const char *equals = memchr(rest, '=', entry);

        if (equals != NULL && blank < entry && (size_t)(equals - rest) - blank == strlen(name) &&
            memcmp(rest + blank, name, strlen(name)) == 0) {
            char *list = (char *)(uintptr_t)weir_copy(call, equals + 1, entry - (size_t)(equals + 1 - rest));
            const char **keys = weir_alloc(call, (strlen(list) / 2 + 2) * sizeof *keys);
            char *save = NULL;
            size_t count = 0;

            for (char *key = strtok_r(list, ", ", &save); key != NULL; key = strtok_r(NULL, ", ", &save))
                keys[count++] = key;
            return count > 0 ? keys : NULL;
        }
        rest += entry + (rest[entry] == ';');
    }
    return NULL;
}

static weir_status scan_row(void *context, const field *fields, size_t count, int64_t line)
{
    sync_run *run = context;

    (void)line;
    for (size_t i = 0; i < count; i++) {
        size_t index = table_column_index(run->call, run->t, fields[i].name, COLUMN_FIRST + i);

        traits_add(&run->t->columns[index].known, &fields[i]);
    }
    return WEIR_OK;
}

/* Delete rows `first` to `last` of a file. */
static weir_status delete_rows(sync_run *run, const char *path, int64_t first, int64_t last)
{
    weir_status status = WEIR_OK;

    for (int64_t line = first; status == WEIR_OK && line <= last; line++)
        status = weir_delete(run->out, &run->t->shape,
                             WEIR_CELLS(weir_string("_file", path), weir_long("_line", line)));
    return status;
}

static weir_status check_keys(sync_run *run, int64_t line)
{
    const table *t = run->t;

    for (size_t i = 0; i < t->count; i++)
        if (t->declared[i].key && t->cells[i].presence == WEIR_NULL)
            return weir_task(
                run->call, "'%s', row %lld has no value in the key column '%s'. Choose another key for '%s'.",
                run->file->path, (long long)line, t->columns[i].name, t->name);
    return WEIR_OK;
}

static weir_status send_row(void *context, const field *fields, size_t count, int64_t line)
{
    sync_run *run = context;
    table *t = run->t;
    /* In microseconds, which every destination keeps. */
    weir_time modified = { run->file->modified_ns / 1000000000,
                           (int32_t)(run->file->modified_ns % 1000000000 / 1000 * 1000) };
    weir_status status;

    if (line <= run->skip)
        return WEIR_OK;
    t->cells[COLUMN_FILE] = weir_string("_file", run->file->path);
    t->cells[COLUMN_LINE] = weir_long("_line", line);
    t->cells[COLUMN_MODIFIED] = weir_utc_datetime("_modified", modified);
    for (size_t i = COLUMN_FIRST; i < t->count; i++)
        t->cells[i] = weir_null(t->columns[i].name);
    for (size_t i = 0; i < count; i++) {
        size_t index = table_column_index(run->call, t, fields[i].name, COLUMN_FIRST + i);

        if (index >= t->shape.column_count)
            return weir_fail(run->call, "'%s' changed while it was being read", run->file->path);
        t->cells[index] = traits_cell(&t->columns[index].known, t->columns[index].name, &fields[i]);
    }
    status = check_keys(run, line);
    if (status == WEIR_OK)
        status = weir_upsert(run->out, &t->shape, t->cells, t->count);
    run->mark.rows = line;
    if (status == WEIR_OK && line % CHECKPOINT_ROWS == 0) {
        state_set_mark(run->state, run->file, &run->mark);
        status = state_save(run->call, run->out, run->state);
    }
    return status;
}

static weir_status send_file(sync_run *run, const file_entry *file)
{
    const row_sink sink = { send_row, run };
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

static bool is_unchanged(const json_t *state, const file_entry *file)
{
    file_mark mark;

    return state_mark(state, file->path, &mark) && mark.done && mark.modified_ns == file->modified_ns &&
           mark.size == file->size;
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

/* One table: files [first, last) of the list. */
static weir_status send_table(sync_run *run, const char *name, const file_entry *first, size_t count)
{
    const row_sink scan = { scan_row, run };
    weir_status status = WEIR_OK;
    bool changed = false;

    run->t = table_new(run->call, name, keys_of(run->call, name));
    if (!weir_selected(run->out, &(weir_table){ .name = name }, NULL))
        return WEIR_OK;
    state_table(run->call, run->state, run->t);
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (!is_unchanged(run->state, &first[i])) {
            changed = true;
            status = rows_read(run->call, &first[i], &scan);
        }
    if (status != WEIR_OK)
        return status;
    table_declare(run->call, run->t);
    if (!changed)
        return WEIR_OK;
    status = weir_schema_change(run->out, &run->t->shape);
    state_set_table(run->state, run->t);
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (!is_unchanged(run->state, &first[i]))
            status = send_file(run, &first[i]);
    return status;
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
    const char *name;
    json_t *columns;
    void *next;

    json_object_foreach_safe(tables, next, name, columns)
    {
        if (has_table(files, name))
            continue;
        run->t = table_new(run->call, weir_copy(run->call, name, strlen(name)), keys_of(run->call, name));
        state_table(run->call, run->state, run->t);
        table_declare(run->call, run->t);
        status = delete_gone(run, files);
        if (status != WEIR_OK)
            return status;
    }
    return status;
}

static weir_status update(weir_call *call, weir_sync *out)
{
    sync_run run = { .call = call, .out = out };
    file_list files;
    weir_status status = folder_list(call, &files);

    if (status != WEIR_OK)
        return status;
    run.state = state_load(call, out);
    for (size_t i = 0, end; status == WEIR_OK && i < files.count; i = end) {
        for (end = i + 1; end < files.count && strcmp(files.items[end].table, files.items[i].table) == 0;
             end++)
            ;
        status = send_table(&run, files.items[i].table, &files.items[i], end - i);
        if (status == WEIR_OK)
            status = delete_gone(&run, &files);
    }
    if (status == WEIR_OK)
        status = empty_tables(&run, &files);
    if (status == WEIR_OK)
        status = state_save(call, out, run.state);
    json_decref(run.state);
    return status;
}

static weir_status test_folder(weir_call *call)
{
    file_list files;
    weir_status status = folder_list(call, &files);

    if (status == WEIR_OK && files.count == 0)
        return weir_task(call,
                         "The folder holds no .csv, .tsv, .json, .jsonl or .ndjson file. Check the path.");
    return status;
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
                  .description = "The character between the cells of a .csv file."),
        WEIR_TEXT(options, null_text, .label = "NULL text", .fallback = "", .placeholder = "NA",
                  .description = "A cell with this text is NULL, besides the empty cell.")),
    .tests = WEIR_TESTS({ "folder", "Reading the folder", test_folder }),
    .update = update,
};

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &source);
}
