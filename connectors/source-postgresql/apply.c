/*
 * source-postgresql/apply: a change of the stream to a row.
 *
 *   INSERT                          upsert
 *   UPDATE                          upsert; where a large value was not changed the server does not send it:
 *                                   then an update without that column, unless the old row has it
 *   UPDATE of the key               delete of the old key and upsert of the new one; what was not sent is
 *                                   asked for: a newer value than the change's will come again
 *   DELETE                          delete
 *   TRUNCATE                        the table is read again (R-SRC-09)
 *   a column added with a default,  the table is read again: its old rows show values that no change carried
 *   renamed, or of another type
 */
#include <inttypes.h>
#include <stdlib.h>

#include "capture.h"

/* How the columns of a message lie in the table's. */
struct relation {
    uint32_t oid;
    capture_table *item; /* NULL: not followed */
    size_t count;
    int *columns;      /* index among the table's; -1: left out */
    const char *unfit; /* why its rows cannot be used; NULL: they can */
};

struct applier {
    capture *cap;
    uint32_t xid;
    struct relation *relations; /* sorted by oid */
    size_t count;
    size_t capacity;
    size_t last; /* index of the one found last */
    weir_cell cells[PGOUTPUT_COLUMNS_MAX];
    source_column *columns[PGOUTPUT_COLUMNS_MAX]; /* of the cells */
    source_column *absent[PGOUTPUT_COLUMNS_MAX];  /* not sent */
    size_t cell_count;
    size_t absent_count;
    value_room room;
};

applier *applier_new(capture *cap)
{
    applier *apply = calloc(1, sizeof *apply);

    if (apply != NULL)
        apply->cap = cap;
    return apply;
}

void applier_free(applier *apply)
{
    if (apply == NULL)
        return;
    for (size_t i = 0; i < apply->count; i++)
        free(apply->relations[i].columns);
    free(apply->relations);
    value_room_clear(&apply->room);
    free(apply);
}

void applier_begin(applier *apply, uint32_t xid)
{
    apply->xid = xid;
}

static weir_status fail_memory(applier *apply)
{
    return weir_fail(apply->cap->run->call, "read the changes: out of memory");
}

/* --- relations --- */

/* Index of the first relation whose oid is not below. */
static size_t place_of(const applier *apply, uint32_t oid)
{
    size_t low = 0, high = apply->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (apply->relations[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: there is none. Borrowed until the next is added. */
static struct relation *find_relation(applier *apply, uint32_t oid)
{
    size_t place;

    if (apply->last < apply->count && apply->relations[apply->last].oid == oid)
        return &apply->relations[apply->last];
    place = place_of(apply, oid);
    if (place == apply->count || apply->relations[place].oid != oid)
        return NULL;
    apply->last = place;
    return &apply->relations[place];
}

/* Finds or makes the entry; NULL: out of memory. */
static struct relation *add_relation(applier *apply, uint32_t oid)
{
    struct relation *found = find_relation(apply, oid);
    size_t place;

    if (found != NULL)
        return found;
    if (apply->count == apply->capacity) {
        size_t capacity = apply->capacity * 2 + 16;
        struct relation *moved = realloc(apply->relations, capacity * sizeof *moved);

        if (moved == NULL)
            return NULL;
        apply->relations = moved;
        apply->capacity = capacity;
    }
    place = place_of(apply, oid);
    found = &apply->relations[place];
    memmove(found + 1, found, (apply->count - place) * sizeof *found);
    *found = (struct relation){ .oid = oid, .item = capture_find(apply->cap, oid) };
    apply->count++;
    apply->last = place;
    return found;
}

static int find_column(const source_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* A column that the catalog did not have when the sync began, or no longer has. */
static weir_status look_up(applier *apply, struct relation *relation, const char *name, int *index)
{
    sync_run *run = apply->cap->run;
    source_table *table = relation->item->table;
    source_column *column;
    bool found = false;
    int number_max = 0;
    weir_status status;

    for (size_t i = 0; i < table->column_count; i++)
        number_max = table->columns[i].number > number_max ? table->columns[i].number : number_max;
    status = catalog_column(run->call, run->link, table, name, &found);
    if (status != WEIR_OK || !found)
        return status; /* dropped since: nobody misses it */
    column = &table->columns[table->column_count - 1];
    column->selected = weir_selected(run->out, &table->table, column->name);
    if (column->number <= number_max)
        relation->unfit = "a column was renamed";
    else if (column->filled)
        relation->unfit = "a column with a default was added";
    *index = (int)table->column_count - 1;
    if (relation->unfit == NULL && column->selected && relation->item->stage == CAPTURE_FOLLOW) {
        record_save(run, table, relation->item->seen_text);
        status = weir_schema_change(run->out, &table->table);
    }
    return status;
}

static weir_status take_relation(applier *apply, const pgoutput_message *message)
{
    struct relation *relation = add_relation(apply, message->relation);
    weir_status status = WEIR_OK;
    int *columns;

    if (relation == NULL)
        return fail_memory(apply);
    if (relation->item == NULL)
        return WEIR_OK;
    columns = realloc(relation->columns, (message->column_count + 1) * sizeof *columns);
    if (columns == NULL)
        return fail_memory(apply);
    relation->columns = columns;
    relation->count = message->column_count;
    relation->unfit = NULL;
    for (size_t i = 0; i < message->column_count && status == WEIR_OK; i++) {
        const pgoutput_column *sent = &message->columns[i];
        const source_table *table = relation->item->table;

        columns[i] = find_column(table, sent->name);
        if (columns[i] < 0)
            status = look_up(apply, relation, sent->name, &columns[i]);
        if (columns[i] < 0)
            continue;
        if (table->columns[columns[i]].declared != sent->type)
            relation->unfit = "the type of a column was changed";
        if (!table->columns[columns[i]].selected)
            columns[i] = -1;
    }
    return status;
}

/* --- rows --- */

static weir_status fail_row(applier *apply, const struct relation *relation, const char *column)
{
    const source_table *table = relation->item->table;

    return weir_fail(
        apply->cap->run->call,
        "read the changes of table '%s.%s': the server sent a row that its columns do not explain "
        "(column '%s')",
        table->schema, table->name, column);
}

/* The field, or the old row's where the server left it out. */
static const pgoutput_field *field_at(const pgoutput_tuple *row, const pgoutput_tuple *old, size_t index)
{
    const pgoutput_field *field = &row->fields[index];

    return field->kind == 'u' && old != NULL && old->fields[index].kind == 't' ? &old->fields[index] : field;
}

static source_column *column_at(const struct relation *relation, size_t index, bool keys_only)
{
    source_column *column;

    if (relation->columns[index] < 0)
        return NULL;
    column = &relation->item->table->columns[relation->columns[index]];
    return keys_only && !column->key ? NULL : column;
}

/* The tuple into the cells. `old` may be NULL. */
static weir_status read_cells(applier *apply, const struct relation *relation, const pgoutput_tuple *row,
                              const pgoutput_tuple *old, bool keys_only)
{
    size_t need = 0;

    apply->cell_count = 0;
    apply->absent_count = 0;
    if (row->count != relation->count || (old != NULL && old->count != relation->count))
        return fail_row(apply, relation, "");
    for (size_t i = 0; i < row->count; i++) {
        const source_column *column = column_at(relation, i, keys_only);
        const pgoutput_field *field = field_at(row, old, i);

        if (column != NULL && field->kind == 't')
            need += value_room_need(column, field->size);
    }
    if (!value_room_reset(&apply->room, need))
        return fail_memory(apply);
    for (size_t i = 0; i < row->count; i++) {
        source_column *column = column_at(relation, i, keys_only);
        const pgoutput_field *field = field_at(row, old, i);
        weir_cell *cell = &apply->cells[apply->cell_count];

        if (column == NULL)
            continue;
        if (field->kind == 'u') {
            apply->absent[apply->absent_count++] = column;
            continue;
        }
        *cell = (weir_cell){ .column = column->name, .type = column->weir, .presence = WEIR_NULL };
        if (field->kind == 't' && !value_read(apply->cap->run, relation->item->table, column, field->data,
                                              field->size, &apply->room, cell))
            return fail_row(apply, relation, column->name);
        apply->columns[apply->cell_count++] = column;
    }
    return WEIR_OK;
}

/* True when the update moved the row to another key. */
static bool key_changed(const struct relation *relation, const pgoutput_message *message)
{
    const pgoutput_tuple *old = &message->old_row, *now = &message->new_row;

    if (message->old_kind == 0 || old->count != relation->count || now->count != relation->count)
        return false;
    for (size_t i = 0; i < relation->count; i++) {
        const pgoutput_field *a = &old->fields[i], *b = &now->fields[i];

        if (column_at(relation, i, true) == NULL || b->kind == 'u')
            continue;
        if (a->kind != b->kind || a->size != b->size ||
            (a->size > 0 && memcmp(a->data, b->data, a->size) != 0))
            return true;
    }
    return false;
}

/* ` WHERE key = '…' AND …` from the tuple. False: out of memory. */
static bool put_where(text *sql, const struct relation *relation, const pgoutput_tuple *row)
{
    const char *word = " WHERE ";

    for (size_t i = 0; i < relation->count; i++) {
        const source_column *column = column_at(relation, i, true);
        const pgoutput_field *field = &row->fields[i];
        char *value;

        if (column == NULL || field->kind != 't')
            continue;
        value = malloc(field->size + 1);
        if (value == NULL)
            return false;
        memcpy(value, field->data, field->size);
        value[field->size] = '\0';
        text_put(sql, word);
        text_name(sql, column->name);
        text_put(sql, " = ");
        text_value(sql, value);
        word = " AND ";
        free(value);
    }
    return true;
}

/*
 * Asks for the columns that were not sent of the row with the new key. No such row: it was deleted or moved
 * again, which the stream will say.
 */
static weir_status fetch_absent(applier *apply, const struct relation *relation, const pgoutput_tuple *row,
                                PGresult **held)
{
    sync_run *run = apply->cap->run;
    const source_table *table = relation->item->table;
    text sql = text_new(run->call);
    value_room room = { 0 };
    weir_status status;

    text_put(&sql, "SELECT ");
    for (size_t i = 0; i < apply->absent_count; i++) {
        text_put(&sql, i > 0 ? ", " : "");
        text_name(&sql, apply->absent[i]->name);
    }
    text_put(&sql, " FROM ");
    text_path(&sql, table->schema, table->name);
    if (!put_where(&sql, relation, row))
        return fail_memory(apply);
    status = link_query(run->call, run->link, "read a row whose key was changed", sql.data, held);
    if (status != WEIR_OK || PQntuples(*held) == 0)
        return status;
    for (size_t i = 0; i < apply->absent_count; i++) {
        source_column *column = apply->absent[i];
        weir_cell *cell = &apply->cells[apply->cell_count];
        size_t size = (size_t)PQgetlength(*held, 0, (int)i);

        if (PQgetisnull(*held, 0, (int)i))
            continue;
        *cell = (weir_cell){ .column = column->name, .type = column->weir, .presence = WEIR_NULL };
        if (value_room_need(column, size) > 0 || column->array == ARRAY_SERVER) {
            char *own = weir_alloc(run->call, value_room_need(column, size) + 1);

            room.data = own;
            room.size = 0;
        }
        if (!value_read(run, table, column, PQgetvalue(*held, 0, (int)i), size,
                        column->array == ARRAY_SERVER ? &apply->room : &room, cell))
            return fail_row(apply, relation, column->name);
        apply->cell_count++;
    }
    return WEIR_OK;
}

static weir_status move_row(applier *apply, const struct relation *relation, const pgoutput_message *message)
{
    capture *cap = apply->cap;
    const pgoutput_tuple *old = message->old_kind != 0 ? &message->old_row : NULL;
    const weir_table *table = &relation->item->table->table;
    PGresult *held = NULL;
    weir_status status = read_cells(apply, relation, &message->old_row, NULL, true);

    if (status == WEIR_OK)
        status = weir_delete(cap->run->out, table, apply->cells, apply->cell_count);
    if (status == WEIR_OK)
        status = read_cells(apply, relation, &message->new_row, old, false);
    if (status == WEIR_OK && apply->absent_count > 0)
        status = fetch_absent(apply, relation, &message->new_row, &held);
    if (status == WEIR_OK)
        status = weir_upsert(cap->run->out, &relation->item->table->table, apply->cells, apply->cell_count);
    PQclear(held);
    return status;
}

static weir_status change_row(applier *apply, const struct relation *relation,
                              const pgoutput_message *message)
{
    weir_sync *out = apply->cap->run->out;
    const weir_table *table = &relation->item->table->table;
    const pgoutput_tuple *old = message->old_kind != 0 ? &message->old_row : NULL;
    weir_status status;

    if (message->kind == PGOUTPUT_DELETE) {
        status = read_cells(apply, relation, &message->old_row, NULL, true);
        return status == WEIR_OK ? weir_delete(out, table, apply->cells, apply->cell_count) : status;
    }
    if (message->kind == PGOUTPUT_UPDATE && key_changed(relation, message))
        return move_row(apply, relation, message);
    status = read_cells(apply, relation, &message->new_row, old, false);
    if (status != WEIR_OK)
        return status;
    return apply->absent_count > 0 ? weir_update(out, table, apply->cells, apply->cell_count)
                                   : weir_upsert(out, table, apply->cells, apply->cell_count);
}

/* True when the change is not to be sent: not followed, starting over, or in the snapshot already. */
static bool passes_by(const applier *apply, const capture_table *item)
{
    return item == NULL || item->stage != CAPTURE_FOLLOW ||
           (item->seen_text != NULL && record_sees(&item->seen, apply->xid));
}

static void take_truncate(applier *apply, const pgoutput_message *message)
{
    for (size_t i = 0; i < message->relation_count; i++) {
        capture_table *item = capture_find(apply->cap, pgoutput_truncated(message, i));

        if (!passes_by(apply, item))
            capture_again(apply->cap, item, "it was truncated");
    }
}

weir_status applier_take(applier *apply, const pgoutput_message *message, int64_t *rows)
{
    struct relation *relation;

    if (message->kind == PGOUTPUT_RELATION)
        return take_relation(apply, message);
    if (message->kind == PGOUTPUT_TRUNCATE) {
        take_truncate(apply, message);
        return WEIR_OK;
    }
    relation = find_relation(apply, message->relation);
    if (relation == NULL)
        return weir_fail(apply->cap->run->call,
                         "read the changes: the server sent a row of relation %" PRIu32
                         " without having described it",
                         message->relation);
    if (passes_by(apply, relation->item))
        return WEIR_OK;
    if (relation->unfit != NULL) {
        capture_again(apply->cap, relation->item, relation->unfit);
        return WEIR_OK;
    }
    relation->item->sent = true;
    ++*rows;
    return change_row(apply, relation, message);
}
