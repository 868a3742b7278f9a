/*
 * sql/sql_internal: what the files of this folder share. One request, one thread; texts and tables belong to
 * the call.
 */
#ifndef WEIR_SQL_SQL_INTERNAL_H
#define WEIR_SQL_SQL_INTERNAL_H

#include <weir/sql.h>

#define WEIR_SQL_FINE_NOTE "nanoseconds of "
#define WEIR_SQL_TABLE "t"  /* the alias of the table that a statement changes */
#define WEIR_SQL_STAGED "s" /* and of the rows that change it */

/* A store that a request works on. */
typedef struct weir_sql_request {
    weir_call *call;
    const weir_sql *sql;
    const char *schema; /* "" where there are none */
    const char *doing;  /* for messages: "alter table 'x'" */
} weir_sql_request;

/* --- names.c --- */
/* A stored name between the store's quotes. */
void weir__sql_put_name(weir_sql_text *out, const weir_sql *sql, const char *name);
/* The name of a table of the layer's own that has to do with `table`. */
const char *weir__sql_leftover(weir_call *call, const char *what, const char *table);
/* The path of a temporary table. */
const char *weir__sql_temporary_path(weir_call *call, const weir_sql *sql, const char *name);
/* A format of the dialect with one or two "%s" filled in. */
const char *weir__sql_fill(weir_call *call, const char *format, const char *first, const char *second);

/* --- store.c: the catalogue, and what is written down beside it --- */
struct weir_sql_rows {
    weir_call *call;
    const char *const **items;
    size_t count;
    size_t room;
};

weir_status weir__sql_run(const weir_sql_request *r, const char *sql);
/* weir_sql.end. */
weir_status weir__sql_end(weir_call *call, const weir_sql *sql, weir_status status);
/*
 * Called before every statement that changes something, before the end of the transaction ("COMMIT") and
 * after it (""): tests kill the process there, or collect the statements. NULL in connectors. Set while no
 * request runs.
 */
extern void (*weir__sql_watch)(const char *sql);
weir_status weir__sql_query(const weir_sql_request *r, const char *sql, weir_sql_rows *out);
/* True in *found when the query has a row. */
weir_status weir__sql_any(const weir_sql_request *r, const char *sql, bool *found);
/* WEIR_NOT_FOUND: there is no such table. */
weir_status weir__sql_exists(const weir_sql_request *r, const char *table);
/* As weir_sql_read_table, for the schema of the request. A table that must be there: see weir__sql_need. */
weir_status weir__sql_read(const weir_sql_request *r, const char *table, weir_sql_table *out);
weir_status weir__sql_need(const weir_sql_request *r, const char *table, weir_sql_table *out);
/* Writes down what the columns of a table mean, replacing what is known of it. */
weir_status weir__sql_remember(const weir_sql_request *r, const char *table, const weir_column *columns,
                               size_t count);
/*
 * Before the table gets that shape by statements that cannot be undone: what a killed request has begun is
 * then understood. weir__sql_remember ends it.
 */
weir_status weir__sql_remember_ahead(const weir_sql_request *r, const weir_sql_table *stored,
                                     const weir_column *columns, size_t count);
/* Forgets a table that is gone; `into` is its new name, or NULL. */
weir_status weir__sql_forget(const weir_sql_request *r, const char *table, const char *into);
weir_status weir__sql_drop_table(const weir_sql_request *r, const char *table);
weir_status weir__sql_rename_table(const weir_sql_request *r, const char *from, const char *to);
/*
 * Ends what a killed request has begun, where statements over tables cannot be undone: a table that was made
 * anew takes its place, and what is left over goes (R-DST-03).
 */
weir_status weir__sql_settle(const weir_sql_request *r, const char *table);
/* R-DST-08: columns whose names the store cannot tell apart are a task. */
weir_status weir__sql_check_names(const weir_sql_request *r, const weir_column *columns, size_t count);

/* --- values.c: constants and comparisons --- */
/* True for types that have a time of day, and so may have a companion. */
bool weir__sql_has_clock(weir_type type);
/* The digits of a second that the store cuts off go; *fine is what a companion would hold. */
weir_time weir__sql_cut(const weir_sql *sql, weir_time time, unsigned *fine);
/* A constant of the column's type; `time` one that is already cut. */
const char *weir__sql_constant(const weir_sql_request *r, const weir_column *column, const weir_cell *cell);
const char *weir__sql_time(const weir_sql_request *r, const weir_column *column, weir_time time);
const char *weir__sql_bool(const weir_sql_request *r, bool value);
/* alias."name" */
const char *weir__sql_of(const weir_sql_request *r, const char *alias, const char *name);
/* One value that compares as the column does, with its companion. */
const char *weir__sql_instant(const weir_sql_request *r, const char *alias, const weir_sql_column *column);
/* `one.k = other.k AND …` for the key without `_fivetran_start`, or "": a row of the same history. */
const char *weir__sql_same_row(const weir_sql_request *r, const weir_sql_table *table, const char *one,
                               const char *other);
/* Conditions: the column's time is strictly before, or is, `time`. */
const char *weir__sql_is_before(const weir_sql_request *r, const char *alias, const weir_sql_column *column,
                                weir_time time);
const char *weir__sql_is_at(const weir_sql_request *r, const char *alias, const weir_sql_column *column,
                            weir_time time);
/* `, "name" = value`, and its companion, for a time that is set; `mark` stands before. */
void weir__sql_set_time(weir_sql_text *out, const weir_sql_request *r, const char *mark,
                        const weir_sql_column *column, weir_time time);
/* The table gets a companion for the column when it needs one for `time`, and is read again. */
weir_status weir__sql_fit_time(const weir_sql_request *r, weir_sql_table *table, const char *column,
                               weir_time time);

/* --- shape.c: tables made, and brought to another shape --- */
/* A column as it will be, and where its values come from. */
typedef struct weir_sql_part {
    weir_column column;
    const weir_sql_column *old; /* converted where types differ; NULL: there was none */
    const char *value;          /* an expression over the old row `t` instead; NULL: old's value, or NULL */
    const char *fine_value;     /* the same for its companion; NULL: none, or old's */
    bool constant;              /* `value` is one value for all rows, and not NULL */
} weir_sql_part;

typedef struct weir_sql_shape {
    const weir_sql_table *stored;
    weir_sql_part *parts;
    size_t count;
    const char *filter; /* a condition over `t`: the rows that stay; NULL: all */
} weir_sql_shape;

/* The shape that a table has, with room for `more` columns. */
weir_sql_shape weir__sql_shape_of(const weir_sql_request *r, const weir_sql_table *stored, size_t more);
/* The part of that full name; NULL: none. */
weir_sql_part *weir__sql_part(const weir_sql_shape *shape, const char *name);
/* The part of that name, added at the end when there is none. */
weir_sql_part *weir__sql_part_add(weir_sql_shape *shape, weir_column column);
void weir__sql_part_drop(weir_sql_shape *shape, const char *name);
/* Brings the stored table to the shape, in place or by making it anew. */
weir_status weir__sql_reshape(const weir_sql_request *r, const weir_sql_shape *shape);
/* CREATE TABLE with the columns and the key of the shape. */
const char *weir__sql_create_sql(const weir_sql_request *r, const weir_sql_shape *shape, const char *table);
/* Makes a new table of that shape out of the stored one, which stays. */
weir_status weir__sql_copy(const weir_sql_request *r, const weir_sql_shape *shape, const char *to);
/* A new column in place, full of NULL; remembered as well. */
weir_status weir__sql_add_column(const weir_sql_request *r, const weir_sql_table *table,
                                 const weir_column *column);
/* Columns of the shape, as an array. */
const weir_column *weir__sql_shape_columns(const weir_sql_request *r, const weir_sql_shape *shape);
/*
 * A task when two rows that pass the shape's filter have the same values in its key, or none where there must
 * be some; it names a few of them.
 */
weir_status weir__sql_check_key(const weir_sql_request *r, const weir_sql_shape *shape);

/* --- merge.c: the statements that apply a stage --- */
/* A column that takes part in a merge: a stored column, or a companion. */
typedef struct weir_sql_field {
    const char *name;   /* quoted */
    const char *staged; /* in the stage: "c3", "n3"; "x2" for one that the request lacks */
    size_t index;       /* of the request's column; SIZE_MAX: it lacks it */
    bool foreign;       /* not this layer's: somebody has added it, or changed it by hand */
    bool key;
    bool own;     /* of the key, and does not name a version */
    bool carried; /* some rows leave it unmodified */
} weir_sql_field;

typedef bool (*weir_sql_choice)(const weir_sql_field *field);

typedef struct weir_sql_merge {
    weir_sql_request r;
    weir_sql_choice group; /* what tells rows apart: the key; in history, the own key tells versions' rows */
    const weir_sql_target *target;
    const weir_sql_stage *stage;
    const weir_sql_field *fields; /* the request's, then those it lacks */
    size_t count;
    size_t asked;             /* of them, those that the request has */
    const uint64_t *modified; /* per column of the request: rows that set it */
    uint64_t rows;
    bool doubled; /* a key may come twice */
} weir_sql_merge;

/* Statements, in order. */
typedef struct weir_sql_script {
    const char **items;
    size_t count;
} weir_sql_script;

/* Fields of the target, which must be what the table has now. */
void weir__sql_merge_fields(weir_sql_merge *m);
void weir__sql_script_add(const weir_sql_merge *m, weir_sql_script *script, const char *sql);
/* Applies a stage of one kind of rows. */
void weir__sql_merge_rows(const weir_sql_merge *m, weir_sql_script *out);
/*
 * Inserts the rows of `source`, a relation with the staged columns, or replaces those that are there. Columns
 * that the request lacks are in `source`, too, or become NULL.
 */
void weir__sql_upsert(const weir_sql_merge *m, const char *source, bool lacking_too, weir_sql_script *out);
/* `s.m60 & 8 <> 0`: the row of `alias` sets the column. */
void weir__sql_put_modified(weir_sql_text *out, const char *alias, size_t index);
/* Fields for which `wanted` is true (NULL: all), as a list of staged names: "s.c0, s.c1". */
bool weir__sql_is_key(const weir_sql_field *field);
bool weir__sql_is_own(const weir_sql_field *field);
void weir__sql_put_staged(weir_sql_text *out, const weir_sql_merge *m, const char *alias,
                          weir_sql_choice wanted);
/* t."k" = s.c0 AND …, of those fields. */
void weir__sql_put_match(weir_sql_text *out, const weir_sql_merge *m, weir_sql_choice wanted);
/*
 * Carries values forward: of a relation `o` with columns rn (1, 2, … within the own key), the fields and what
 * says whether they are modified, a SELECT of the same rows where every carried field in [from, to) has the
 * value of the nearest row up to it that modifies it. `also` is added to the list of columns, of relation g.
 * Column pN is NULL where no such row is.
 */
void weir__sql_put_carried(weir_sql_text *out, const weir_sql_merge *m, size_t from, size_t to,
                           const char *rows, const char *also);
/* Where a part of the fields that begins at `from` ends, by what one SELECT may have; `count` at most. */
size_t weir__sql_part_end(const weir_sql_merge *m, size_t from, size_t count);
/* UPDATE t SET `set` FROM (`source`) s WHERE `where`, in the store's form. */
const char *weir__sql_update_from(const weir_sql_merge *m, const char *set, const char *source,
                                  const char *where);
/* DELETE FROM t … (`source`) s WHERE `where`. */
const char *weir__sql_delete_from(const weir_sql_merge *m, const char *source, const char *where);

/* --- history.c --- */
/* How many rows of each kind a history batch has. */
typedef struct weir_sql_versions {
    uint64_t earliest;
    uint64_t replace;
    uint64_t update;
    uint64_t remove;
} weir_sql_versions;

/* Applies a mixed stage (R-HIS-02 to R-HIS-04). */
void weir__sql_merge_history(const weir_sql_merge *m, const weir_sql_versions *has, weir_sql_script *out);
/* R-HIS-01: a table in history mode. */
bool weir__sql_is_history(const weir_sql_table *table);

/* --- modes.c: between soft delete and history (R-MIG-05) --- */
weir_status weir__sql_to_history(const weir_sql_request *r, const weir_sql_table *stored, const char *deleted,
                                 weir_sql_shape *out);
weir_status weir__sql_to_soft_delete(const weir_sql_request *r, const weir_sql_table *stored,
                                     const char *deleted, weir_sql_shape *out);

/* --- literals.c: the loader of stores that have none --- */
weir_status weir__sql_literals_open(weir_call *call, const weir_sql *sql, weir_sql_stage *stage);
weir_status weir__sql_literals_add(weir_call *call, const weir_sql *sql, weir_sql_stage *stage,
                                   const weir_row *row);
weir_status weir__sql_literals_close(weir_call *call, const weir_sql *sql, weir_sql_stage *stage);
void weir__sql_literals_drop(weir_call *call, const weir_sql *sql, weir_sql_stage *stage);

#endif
