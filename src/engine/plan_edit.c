/* engine/plan_edit: wishes taken apart, checked, applied level by level; see plan_edit.h. */
#include "engine/plan_edit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define NEAR_SIZE 64 /* bytes of a name that are compared when a near one is looked for */
#define NEAR_MAX 3   /* names that an error offers */

typedef enum wish_kind {
    WISH_ENABLE,
    WISH_DISABLE,
    WISH_HASH,
    WISH_UNHASH,
    WISH_MODE
} wish_kind;

static const char *const wish_names[] = { "--enable", "--disable", "--hash", "--unhash", "--mode" };

/* One object of a list. */
typedef struct item {
    wish_kind kind;
    size_t depth; /* 1: a schema, 2: a table, 3: a column */
    weir_bytes schema;
    weir_bytes table;
    weir_bytes column;
    plan_mode mode;
} item;

typedef struct editor {
    plan *p;
    const plan *seen;
    bool schemas; /* the source has schemas */
    bool unlisted;
    item *items;
    size_t count;
    size_t capacity;
    weir_error *err;
} editor;

/* --- a source's schema taken in --- */

static weir_status reload_column(plan *p, weir_bytes schema, weir_bytes table, const plan_column *seen,
                                 weir_error *err)
{
    weir_bytes name = weir__text(seen->name);
    bool listed = plan_find_column(p, schema, table, name) != NULL;
    weir_status status = plan_note(p, schema, table, name, err);
    plan_column *column = plan_find_column(p, schema, table, name);

    if (status != WEIR_OK || column == NULL)
        return status;
    column->key = seen->key;
    column->enabled = column->enabled || (!listed && seen->key);
    return WEIR_OK;
}

static weir_status reload_schema(plan *p, const plan_schema *seen, weir_error *err)
{
    weir_bytes schema = weir__text(seen->name);
    weir_status status = plan_note(p, schema, (weir_bytes){ 0 }, (weir_bytes){ 0 }, err);

    for (size_t i = 0; i < seen->tables.count && status == WEIR_OK; i++) {
        const plan_table *table = seen->tables.entries[i].value;
        weir_bytes name = weir__text(table->name);

        status = plan_note(p, schema, name, (weir_bytes){ 0 }, err);
        for (size_t j = 0; j < table->columns.count && status == WEIR_OK; j++)
            status = reload_column(p, schema, name, table->columns.entries[j].value, err);
    }
    return status;
}

weir_status plan_reload(plan *p, const plan *seen, weir_error *err)
{
    weir_bytes none = { "", 0 };
    weir_status status = WEIR_OK;

    if (seen->schemas.count > 0)
        status = plan_check_form(p, plan_find_schema(seen, none) == NULL, err);
    for (size_t i = 0; i < seen->schemas.count && status == WEIR_OK; i++)
        status = reload_schema(p, seen->schemas.entries[i].value, err);
    return status;
}

/* --- lists --- */

static weir_status refuse_list(const editor *e, wish_kind kind, const char *list, const char *at)
{
    return weir__error(e->err,
                       "%s '%s': expected names joined by dots and parted by commas, others in double "
                       "quotes, at '%s'; see weir schema --help",
                       wish_names[kind], list, at);
}

/* Takes one name; *at moves behind it. *out.data is NULL when there is none. */
static weir_status take_name(const editor *e, const char **at, weir_bytes *out)
{
    size_t room = strlen(*at) + 1;
    char *text = weir__arena_raw(e->p->arena, room);
    size_t size = 0;
    const char *c = *at;

    *out = (weir_bytes){ 0 };
    if (text == NULL)
        return weir__error_memory(e->err, "reading a list of names");
    if (*c != '"') {
        size = strcspn(c, ".,=\"");
        memcpy(text, c, size);
        c += size;
    } else {
        for (c++; *c != '\0' && (*c != '"' || c[1] == '"'); c++) {
            c += *c == '"';
            text[size++] = *c;
        }
        if (*c != '"')
            return WEIR_OK;
        c++;
    }
    if (size == 0)
        return WEIR_OK;
    text[size] = '\0';
    *out = (weir_bytes){ text, size };
    *at = c;
    return WEIR_OK;
}

static weir_status take_mode(const editor *e, const char *list, const char **at, plan_mode *out)
{
    char word[32];
    size_t size;

    if (**at != '=')
        return weir__error(e->err, "--mode '%s': expected SCHEMA.TABLE=HISTORY or =SOFT_DELETE", list);
    *at += 1;
    size = strcspn(*at, ",");
    snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word - 1), *at);
    *at += size;
    if (strcmp(word, "LIVE") == 0)
        return weir__error(e->err,
                           "--mode '%s': live mode is not to be had: the Partner SDK has no operation that "
                           "removes a row, so no destination could be asked for it; choose SOFT_DELETE or "
                           "HISTORY",
                           list);
    if (!plan_mode_from(word, out))
        return weir__error(e->err, "--mode '%s': expected SOFT_DELETE or HISTORY, found '%s'", list, word);
    return WEIR_OK;
}

static weir_status add_item(editor *e, const item *one)
{
    if (e->count == e->capacity) {
        size_t capacity = e->capacity ? 2 * e->capacity : 16;
        item *items = weir__arena_array(e->p->arena, capacity, sizeof *items);

        if (items == NULL)
            return weir__error_memory(e->err, "reading a list of names");
        if (e->count > 0)
            memcpy(items, e->items, e->count * sizeof *items);
        e->items = items;
        e->capacity = capacity;
    }
    e->items[e->count++] = *one;
    return WEIR_OK;
}

/* One object, "a.b.c" or "a.b=MODE". */
static weir_status take_item(editor *e, wish_kind kind, const char *list, const char **at)
{
    size_t most = e->schemas ? 3 : 2;
    weir_bytes names[3] = { { 0 } };
    item one = { .kind = kind };
    size_t count = 0;
    weir_status status;

    do {
        const char *begin = *at;

        if (count == most)
            return weir__error(
                e->err, "%s '%s': too many names at '%s'; an object is called %s", wish_names[kind], list,
                begin, e->schemas ? "SCHEMA.TABLE.COLUMN" : "TABLE.COLUMN, the source having no schemas");
        status = take_name(e, at, &names[count]);
        if (status != WEIR_OK)
            return status;
        if (names[count].data == NULL)
            return refuse_list(e, kind, list, begin);
        count++;
    } while (**at == '.' && *(*at)++ == '.');
    one.depth = count + (e->schemas ? 0 : 1);
    one.schema = e->schemas ? names[0] : (weir_bytes){ "", 0 };
    one.table = names[e->schemas ? 1 : 0];
    one.column = names[e->schemas ? 2 : 1];
    if (kind == WISH_MODE)
        status = take_mode(e, list, at, &one.mode);
    if (status == WEIR_OK && **at != ',' && **at != '\0')
        return refuse_list(e, kind, list, *at);
    if (status == WEIR_OK && kind == WISH_MODE && one.depth != 2)
        return weir__error(e->err, "--mode '%s': a mode is a table's", list);
    if (status == WEIR_OK && (kind == WISH_HASH || kind == WISH_UNHASH) && one.depth != 3)
        return weir__error(e->err, "%s '%s': only columns are hashed", wish_names[kind], list);
    return status == WEIR_OK ? add_item(e, &one) : status;
}

static weir_status take_list(editor *e, wish_kind kind, const char *list)
{
    const char *at = list;
    weir_status status = WEIR_OK;

    if (list == NULL)
        return WEIR_OK;
    for (bool more = true; more && status == WEIR_OK;) {
        status = take_item(e, kind, list, &at);
        more = status == WEIR_OK && *at == ',';
        at += more;
    }
    return status;
}

/* --- what is not there --- */

/* How many letters have to change, case apart; names are cut. */
static size_t distance(weir_bytes a, weir_bytes b)
{
    size_t row[NEAR_SIZE + 1];
    size_t rows = a.size < NEAR_SIZE ? a.size : NEAR_SIZE;
    size_t columns = b.size < NEAR_SIZE ? b.size : NEAR_SIZE;

    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; i <= rows; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            bool same = tolower((unsigned char)a.data[i - 1]) == tolower((unsigned char)b.data[j - 1]);
            size_t best = corner + (same ? 0 : 1);

            corner = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[columns];
}

typedef struct near_names {
    weir_bytes names[NEAR_MAX];
    size_t distances[NEAR_MAX];
    size_t count;
} near_names;

static void add_near(near_names *to, weir_bytes wanted, const weir_map *from)
{
    for (size_t i = 0; from != NULL && i < from->count; i++) {
        weir_bytes name = from->entries[i].key;
        size_t far = distance(wanted, name);
        size_t at = to->count;
        bool known = far > (wanted.size < 6 ? 2 : wanted.size / 3);

        for (size_t k = 0; k < to->count; k++)
            known = known || weir__bytes_equal(to->names[k], name);
        if (known)
            continue;
        while (at > 0 && to->distances[at - 1] > far)
            at--;
        if (at == NEAR_MAX)
            continue;
        if (to->count < NEAR_MAX)
            to->count++;
        for (size_t k = to->count - 1; k > at; k--) {
            to->names[k] = to->names[k - 1];
            to->distances[k] = to->distances[k - 1];
        }
        to->names[at] = name;
        to->distances[at] = far;
    }
}

/* The names beside which the item's last one would stand; NULL: there are none. */
static const weir_map *beside(const plan *p, const item *one)
{
    const plan_schema *schema = plan_find_schema(p, one->schema);
    const plan_table *table = plan_find_table(p, one->schema, one->table);

    if (p == NULL || one->depth == 1)
        return p ? &p->schemas : NULL;
    if (one->depth == 2)
        return schema ? &schema->tables : NULL;
    return table ? &table->columns : NULL;
}

static weir_status refuse_unknown(const editor *e, const item *one)
{
    static const char *const kinds[] = { "", "schema", "table", "column" };
    weir_bytes wanted = one->depth == 1 ? one->schema : one->depth == 2 ? one->table : one->column;
    char *path = plan_path(e->p->arena, one->schema, one->table, one->column);
    near_names near = { .count = 0 };
    char list[512] = "";
    size_t size = 0;

    add_near(&near, wanted, beside(e->p, one));
    add_near(&near, wanted, beside(e->seen, one));
    for (size_t i = 0; i < near.count; i++)
        size += (size_t)snprintf(list + size, sizeof list - size, "%s'%.*s'", i ? ", " : "; is it ",
                                 (int)(near.names[i].size < 100 ? near.names[i].size : 100),
                                 near.names[i].data);
    return weir__error(e->err, "%s '%s': %s no such %s%s%s", wish_names[one->kind], path ? path : "",
                       e->seen ? "the source has" : "the schema configuration lists", kinds[one->depth], list,
                       near.count > 0 ? "?"
                       : e->seen      ? ""
                                      : "; --source reads what the source has, --unlisted lists the name");
}

/* --- changes --- */

static bool has_schema(const editor *e, weir_bytes schema)
{
    return plan_find_schema(e->p, schema) != NULL || plan_find_schema(e->seen, schema) != NULL;
}

static bool has_table(const editor *e, const item *one)
{
    return plan_find_table(e->p, one->schema, one->table) != NULL ||
           plan_find_table(e->seen, one->schema, one->table) != NULL;
}

static bool has_column(const editor *e, const item *one)
{
    return plan_find_column(e->p, one->schema, one->table, one->column) != NULL ||
           plan_find_column(e->seen, one->schema, one->table, one->column) != NULL;
}

/* Refused with the first name that is not there. */
static weir_status check_known(const editor *e, const item *one)
{
    item shorter = *one;

    if (e->unlisted)
        return WEIR_OK;
    shorter.depth = 1;
    shorter.table = shorter.column = (weir_bytes){ 0 };
    if (e->schemas && !has_schema(e, one->schema))
        return refuse_unknown(e, &shorter);
    shorter.depth = 2;
    shorter.table = one->table;
    if (one->depth >= 2 && !has_table(e, one))
        return refuse_unknown(e, &shorter);
    if (one->depth == 3 && !has_column(e, one))
        return refuse_unknown(e, one);
    return WEIR_OK;
}

/*
 * One of the tables of a schema that is off is about to be listed, which makes it a schema with a list: the
 * others that the source has are listed, too. Turning on the one turns the schema on, and the others stay
 * off; else they are as they would be if the schema were turned on.
 */
static weir_status open_schema(const editor *e, const item *one)
{
    plan_schema *schema = plan_edit_schema(e->p, one->schema, e->err);
    const plan_schema *seen = plan_find_schema(e->seen, one->schema);
    bool alone = one->kind == WISH_ENABLE;

    if (schema == NULL)
        return WEIR_FAILED;
    if (schema->enabled)
        return WEIR_OK;
    for (size_t i = 0; seen != NULL && i < seen->tables.count; i++) {
        weir_bytes name = seen->tables.entries[i].key;
        plan_table *table;

        if (plan_find_table(e->p, one->schema, name) != NULL)
            continue;
        table = plan_edit_table(e->p, one->schema, name, e->err);
        if (table == NULL)
            return WEIR_FAILED;
        table->enabled = !alone && (schema->whole || e->p->handling == PLAN_ALLOW_ALL);
    }
    schema->enabled = alone;
    return WEIR_OK;
}

/* The table's other columns are not known, and with this handling they would all be on. */
static weir_status refuse_alone(const editor *e, const item *one)
{
    const char *path = plan_path(e->p->arena, one->schema, one->table, one->column);

    return weir__error(
        e->err,
        "--enable '%s': its table is off, and nothing tells which columns it has besides, so that this one "
        "cannot be turned on alone. Turn the table on and those columns off, or, if the source tells what it "
        "has, give --source",
        path ? path : "");
}

/* The same of a table and its columns; those of the key are always on. */
static weir_status open_table(const editor *e, const item *one)
{
    weir_status status = open_schema(e, one);
    plan_table *table = status == WEIR_OK ? plan_edit_table(e->p, one->schema, one->table, e->err) : NULL;
    const plan_table *seen = plan_find_table(e->seen, one->schema, one->table);
    bool alone = one->kind == WISH_ENABLE;

    if (table == NULL)
        return WEIR_FAILED;
    if (table->enabled)
        return WEIR_OK;
    if (alone && seen == NULL && e->p->handling != PLAN_BLOCK_ALL)
        return refuse_alone(e, one);
    for (size_t i = 0; seen != NULL && i < seen->columns.count; i++) {
        const plan_column *from = seen->columns.entries[i].value;
        weir_bytes name = seen->columns.entries[i].key;
        bool wanted = !alone && plan_wants_column(e->p, one->schema, one->table, name);
        plan_column *column;

        if (plan_find_column(e->p, one->schema, one->table, name) != NULL)
            continue;
        column = plan_edit_column(e->p, one->schema, one->table, name, e->err);
        if (column == NULL)
            return WEIR_FAILED;
        column->key = from->key;
        column->enabled = wanted || from->key;
    }
    table->enabled = alone;
    table->whole = table->whole && !alone;
    return WEIR_OK;
}

static weir_status set_column(const editor *e, const item *one)
{
    plan_column *column;
    weir_status status = open_table(e, one);

    if (status != WEIR_OK)
        return status;
    column = plan_edit_column(e->p, one->schema, one->table, one->column, e->err);
    if (column == NULL)
        return WEIR_FAILED;
    if (one->kind == WISH_DISABLE && column->key) {
        const char *path = plan_path(e->p->arena, one->schema, one->table, one->column);

        return weir__error(
            e->err,
            "--disable '%s': the column is part of the key and is always synced; hash it if its "
            "values must not be seen",
            path ? path : column->name);
    }
    if (one->kind == WISH_ENABLE || one->kind == WISH_DISABLE)
        column->enabled = one->kind == WISH_ENABLE;
    else
        column->hashed = one->kind == WISH_HASH;
    return WEIR_OK;
}

static weir_status set_table(const editor *e, const item *one)
{
    weir_status status = open_schema(e, one);
    plan_table *table = status == WEIR_OK ? plan_edit_table(e->p, one->schema, one->table, e->err) : NULL;

    if (table == NULL)
        return WEIR_FAILED;
    if (one->kind == WISH_MODE)
        table->mode = one->mode;
    else
        table->enabled = one->kind == WISH_ENABLE;
    return WEIR_OK;
}

static weir_status set_one(const editor *e, const item *one)
{
    weir_status status = check_known(e, one);
    plan_schema *schema;

    if (status != WEIR_OK)
        return status;
    if (one->depth == 3)
        return set_column(e, one);
    if (one->depth == 2)
        return set_table(e, one);
    schema = plan_edit_schema(e->p, one->schema, e->err);
    if (schema == NULL)
        return WEIR_FAILED;
    schema->enabled = one->kind == WISH_ENABLE;
    return WEIR_OK;
}

/* --- the whole --- */

/* Enable and disable, hash and unhash, two modes: of one object only one of them. */
static bool contradict(const item *a, const item *b)
{
    return weir__bytes_equal(a->schema, b->schema) && weir__bytes_equal(a->table, b->table) &&
           weir__bytes_equal(a->column, b->column) && a->kind / 2 == b->kind / 2 &&
           (a->kind != b->kind || a->mode != b->mode);
}

static weir_status check_contradictions(const editor *e)
{
    for (size_t i = 0; i < e->count; i++)
        for (size_t j = 0; j < i; j++)
            if (contradict(&e->items[i], &e->items[j])) {
                const item *one = &e->items[i];
                const char *path = plan_path(e->p->arena, one->schema, one->table, one->column);

                return weir__error(e->err, "%s '%s': %s says otherwise", wish_names[one->kind],
                                   path ? path : "", wish_names[e->items[j].kind]);
            }
    return WEIR_OK;
}

static weir_status apply_settings(plan *p, const plan_wish *wish, weir_error *err)
{
    if (wish->handling != NULL && !plan_handling_from(wish->handling, &p->handling))
        return weir__error(err, "--handling needs ALLOW_ALL, ALLOW_COLUMNS or BLOCK_ALL, not '%s'",
                           wish->handling);
    if (wish->naming != NULL && !plan_naming_from(wish->naming, &p->naming))
        return weir__error(err, "--naming needs FIVETRAN_NAMING or SOURCE_NAMING, not '%s'", wish->naming);
    p->changed = p->changed || wish->handling != NULL || wish->naming != NULL;
    return WEIR_OK;
}

static weir_status take_lists(editor *e, const plan_wish *wish)
{
    weir_status status = take_list(e, WISH_ENABLE, wish->enable);

    if (status == WEIR_OK)
        status = take_list(e, WISH_DISABLE, wish->disable);
    if (status == WEIR_OK)
        status = take_list(e, WISH_HASH, wish->hash);
    if (status == WEIR_OK)
        status = take_list(e, WISH_UNHASH, wish->unhash);
    if (status == WEIR_OK)
        status = take_list(e, WISH_MODE, wish->mode);
    return status == WEIR_OK ? check_contradictions(e) : status;
}

/* Whether the names of the lists begin with a schema. */
static weir_status find_form(editor *e, const plan_wish *wish)
{
    bool tables = wish->unlisted != NULL && strcmp(wish->unlisted, "tables") == 0;

    if (wish->unlisted != NULL && !tables && strcmp(wish->unlisted, "schemas") != 0)
        return weir__error(e->err, "--unlisted needs tables or schemas, not '%s'", wish->unlisted);
    e->unlisted = wish->unlisted != NULL;
    e->schemas = e->p->schemas.count > 0 ? plan_find_schema(e->p, (weir_bytes){ "", 0 }) == NULL : !tables;
    if (e->unlisted && e->schemas == tables)
        return weir__error(e->err, "--unlisted %s: the schema configuration lists %s", wish->unlisted,
                           e->schemas ? "schemas" : "tables without a schema");
    return WEIR_OK;
}

weir_status plan_apply(plan *p, const plan *seen, const plan_wish *wish, weir_error *err)
{
    editor e = { .p = p, .seen = seen, .err = err };
    bool lists = wish->enable || wish->disable || wish->hash || wish->unhash || wish->mode;
    weir_status status = apply_settings(p, wish, err);

    if (status == WEIR_OK && seen != NULL)
        status = plan_reload(p, seen, err);
    if (status == WEIR_OK && lists && p->schemas.count == 0 && wish->unlisted == NULL)
        status = weir__error(err, seen ? "the source has no tables"
                                       : "the schema configuration lists nothing yet: with --source and "
                                         "--source-config it learns what the source has, with --unlisted it "
                                         "takes any names");
    if (status == WEIR_OK)
        status = find_form(&e, wish);
    if (status == WEIR_OK)
        status = take_lists(&e, wish);
    for (size_t depth = 1; depth <= 3 && status == WEIR_OK; depth++) {
        for (size_t i = 0; i < e.count && status == WEIR_OK; i++)
            if (e.items[i].depth == depth)
                status = set_one(&e, &e.items[i]);
        /* What has been turned on is listed in full. */
        if (status == WEIR_OK && seen != NULL)
            status = plan_reload(p, seen, err);
    }
    return status;
}
