/* destination-parquet/table: manifests and folders; see table.h for the order of steps. */
#include "table.h"

#include <errno.h>
#include <string.h>

#include "files.h"
#include "store.h"

#define UNPACKED 4 /* bytes in DuckDB for one of a part: a guess */

static const char *in_folder(weir_call *call, const stored_table *t, const char *file)
{
    return weir_printf(call, "%s/%s", t->folder, file);
}

/* The folder of the schema. */
static const char *parent_of(weir_call *call, const stored_table *t)
{
    return weir_copy(call, t->folder, (size_t)(strrchr(t->folder, '/') - t->folder));
}

const char *table_key(weir_call *call, const char *schema, const char *name)
{
    return weir_printf(call, "%s/%s", files_name(call, schema), files_name(call, name));
}

static weir_status read_manifest(weir_call *call, const char *path, manifest *out)
{
    const char *wrong;
    size_t size = 0;
    char *text;
    int code = files->size(path, &size);

    if (code == ENOENT || code == ENOTDIR)
        return WEIR_NOT_FOUND;
    if (code != 0)
        return store_file_error(call, code, path);
    if (size > MANIFEST_SIZE_MAX)
        return weir_fail(call, "Cannot read '%s': it is larger than a manifest can be.", path);
    text = weir_alloc(call, size + 1);
    code = files->read(path, text, size);
    if (code != 0)
        return store_file_error(call, code, path);
    wrong = manifest_parse(call, text, size, out);
    return wrong == NULL ? WEIR_OK
                         : weir_fail(call,
                                     "Cannot read '%s': %s. Restore the file, or remove the table's folder "
                                     "and re-sync the table.",
                                     path, wrong);
}

weir_status table_open(weir_call *call, const char *schema, const char *name, stored_table *out)
{
    const store *s = weir_session(call);
    weir_sql_text path = weir_sql_text_new(call);
    stored_table t = { .schema = schema, .name = name, .key = table_key(call, schema, name) };
    weir_status status;

    weir_sql_put_quoted(&path, t.key, '"');
    t.path = path.data;
    t.folder = weir_printf(call, "%s/%s", s->root, t.key);
    status = read_manifest(call, in_folder(call, &t, MANIFEST_FILE), &t.stored);
    if (status != WEIR_OK && status != WEIR_NOT_FOUND)
        return status;
    t.exists = status == WEIR_OK;
    for (size_t i = 0; i < t.stored.column_count; i++)
        table_add_column(call, &t, &t.stored.columns[i]);
    for (size_t i = 0; i < t.stored.part_count; i++) {
        stored_part *p = table_add_part(call, &t);

        *p = (stored_part){ .file = t.stored.parts[i].file,
                            .rows = t.stored.parts[i].rows,
                            .size = t.stored.parts[i].size,
                            .taken = t.stored.parts[i].size * UNPACKED,
                            .columns = t.column_count };
    }
    *out = t;
    return WEIR_OK;
}

void table_add_column(weir_call *call, stored_table *t, const manifest_column *column)
{
    if (t->column_count == t->column_room) {
        size_t room = t->column_room * 2 + 16;
        manifest_column *more = weir_alloc(call, room * sizeof *more);

        if (t->column_count > 0)
            memcpy(more, t->columns, t->column_count * sizeof *more);
        t->columns = more;
        t->column_room = room;
    }
    t->columns[t->column_count++] = *column;
}

stored_part *table_add_part(weir_call *call, stored_table *t)
{
    if (t->part_count == t->part_room) {
        size_t room = t->part_room * 2 + 16;
        stored_part *more = weir_alloc(call, room * sizeof *more);

        if (t->part_count > 0)
            memcpy(more, t->parts, t->part_count * sizeof *more);
        t->parts = more;
        t->part_room = room;
    }
    t->parts[t->part_count] = (stored_part){
        .file = files_part_name(call), .rows = UINT64_MAX, .columns = t->column_count, .fresh = true
    };
    return &t->parts[t->part_count++];
}

const char *table_part_path(weir_call *call, const stored_table *t, const stored_part *p)
{
    return in_folder(call, t, p->file);
}

/* --- cleaning --- */

typedef struct names {
    weir_call *call;
    const char **items;
    size_t count;
    size_t room;
} names;

static void note_name(void *context, const char *name)
{
    names *n = context;

    if (n->count == n->room) {
        size_t room = n->room * 2 + 16;
        const char **more = weir_alloc(n->call, room * sizeof *more);

        if (n->count > 0)
            memcpy(more, n->items, n->count * sizeof *more);
        n->items = more;
        n->room = room;
    }
    n->items[n->count++] = weir_copy(n->call, name, strlen(name));
}

static bool is_needed(const manifest *m, const char *name)
{
    if (strncmp(name, "part-", 5) != 0)
        return strcmp(name, MANIFEST_DRAFT) != 0; /* what is not ours stays */
    for (size_t i = 0; m != NULL && i < m->part_count; i++)
        if (strcmp(m->parts[i].file, name) == 0)
            return true;
    for (size_t i = 0; m != NULL && i < m->previous_count; i++)
        if (strcmp(m->previous[i], name) == 0)
            return true;
    return false;
}

/* Failures do not matter: the next request tries again. */
void table_clean(weir_call *call, const stored_table *t, const manifest *current)
{
    names n = { .call = call };

    if (files->list(t->folder, note_name, &n) != 0)
        return;
    for (size_t i = 0; i < n.count; i++)
        if (!is_needed(current, n.items[i]))
            (void)files->remove(in_folder(call, t, n.items[i]));
}

/* --- committing --- */

weir_status table_make_folder(weir_call *call, const stored_table *t)
{
    const store *s = weir_session(call);
    const char *parent = parent_of(call, t);
    int code = files->make_folder(parent);

    if (code == 0)
        code = files->sync(s->root);
    if (code == 0)
        code = files->make_folder(t->folder);
    if (code == 0)
        code = files->sync(parent);
    if (code != 0)
        return store_file_error(call, code, t->folder);
    table_clean(call, t, NULL);
    return WEIR_OK;
}

static weir_status put_manifest(weir_call *call, const stored_table *t, const manifest *m)
{
    const char *draft = in_folder(call, t, MANIFEST_DRAFT);
    const char *path = in_folder(call, t, MANIFEST_FILE);
    const char *text = manifest_text(call, m);
    size_t size = strlen(text);
    int code;

    if (size > MANIFEST_SIZE_MAX) /* nobody could read it again */
        return weir_task(call,
                         "The table '%s' has too many parts for its manifest. Raise 'Rows of a part' in the "
                         "setup form.",
                         t->name);
    code = files->write(draft, text, size);
    if (code == 0)
        code = files->sync(draft);
    if (code == 0)
        code = files->rename(draft, path);
    if (code == 0)
        code = files->sync(t->folder);
    return code == 0 ? WEIR_OK : store_file_error(call, code, path);
}

static bool has_part(const manifest *m, const char *file)
{
    for (size_t i = 0; i < m->part_count; i++)
        if (strcmp(m->parts[i].file, file) == 0)
            return true;
    return false;
}

weir_status table_commit(weir_call *call, stored_table *t)
{
    manifest_part *parts = weir_alloc(call, (t->part_count + 1) * sizeof *parts);
    const char **previous = weir_alloc(call, (t->stored.part_count + 1) * sizeof *previous);
    manifest next = { .version = t->stored.version + 1,
                      .columns = t->columns,
                      .column_count = t->column_count,
                      .parts = parts,
                      .previous = previous };
    weir_status status;

    for (size_t i = 0; i < t->part_count; i++) {
        const stored_part *p = &t->parts[i];
        const char *path = table_part_path(call, t, p);
        int code = p->fresh && p->rows > 0 ? files->sync(path) : 0;

        if (code != 0)
            return store_file_error(call, code, path);
        if (p->rows > 0)
            parts[next.part_count++] = (manifest_part){ p->file, p->rows, p->size };
    }
    for (size_t i = 0; i < t->stored.part_count; i++)
        if (!has_part(&next, t->stored.parts[i].file))
            previous[next.previous_count++] = t->stored.parts[i].file;
    status = put_manifest(call, t, &next);
    if (status == WEIR_OK)
        table_clean(call, t, &next);
    return status;
}

weir_status table_rename(weir_call *call, const stored_table *from, const stored_table *to)
{
    const char *parent = parent_of(call, to);
    int code;

    table_clean(call, to, NULL); /* what a killed request has left there */
    code = files->remove_folder(to->folder);
    if (code == 0 || code == ENOENT)
        code = files->rename(from->folder, to->folder);
    if (code == 0)
        code = files->sync(parent);
    return code == 0 ? WEIR_OK : store_file_error(call, code, to->folder);
}

/* Without its manifest a table is gone; its parts follow. */
weir_status table_drop(weir_call *call, const stored_table *t)
{
    const char *path = in_folder(call, t, MANIFEST_FILE);
    int code = files->remove(path);

    if (code == 0)
        code = files->sync(t->folder);
    if (code != 0)
        return store_file_error(call, code, path);
    table_clean(call, t, NULL);
    (void)files->remove_folder(t->folder);
    return WEIR_OK;
}
