/*
 * source-files: what the parts share.
 *
 * A file is listed (folder.c), read row by row (rows_csv.c with csv_file.c and csv_text.c, rows_json.c with
 * json_text.c), its values typed (infer.c), its columns gathered into the description of a table (table.c,
 * scan.c with scan_part.c), and what was read is remembered (state.c). main.c puts them in order.
 */
#ifndef SOURCE_FILES_FILES_H
#define SOURCE_FILES_FILES_H

#include <stdio.h>

#include <jansson.h>
#include <weir/weir.h>

typedef struct options {
    const char *folder;
    const char *keys;
    const char *delimiter;
    const char *null_text;
    bool allow_empty;
} options;

#define COLUMNS_MAX 10000
#define NAME_SIZE_MAX 1024 /* bytes, of a column's name or a file's path */

/* --- text.c --- */

bool text_is_utf8(const char *text, size_t size);
/* `text` with every byte that is no UTF-8 written as \xNN, in the call's memory. */
const char *text_shown(weir_call *call, const char *text);
/* Why this can't be a name, to stand behind "the name "; NULL when it can. */
const char *text_name_fault(const char *name, size_t size);
/* True for the first bytes of a file with a UTF-16 byte order mark. */
bool text_is_utf16(const char *start, size_t size);

/* --- keys.c --- */

/*
 * Checks the option and gives the key columns chosen for a table, NULL-terminated in the call's memory; NULL
 * when none are chosen. `wanted` (a table) and `out` may be NULL to check only.
 */
weir_status keys_read(weir_call *call, const char *wanted, const char *const **out);

/* The table of the next entry in *rest, the checked option, which is moved behind it; NULL: none. */
const char *keys_table(weir_call *call, const char **rest);

/* --- folder.c --- */

typedef enum file_format {
    FILE_CSV,
    FILE_JSON
} file_format;

/* One file; all texts live in the call. */
typedef struct file_entry {
    const char *path;  /* relative to the folder: the `_file` column */
    const char *table; /* the file's stem, or the subfolder that it lies in */
    file_format format;
    char delimiter;
    int64_t modified_ns;
    int64_t size;
} file_entry;

typedef struct file_list {
    file_entry *items; /* sorted by table, then path */
    size_t count;
    const char *bad; /* a file left out because its name can't be used, as text_shown; NULL without */
} file_list;

/* Lists the CSV and JSON files of the folder and of its subfolders; other files are left alone. */
weir_status folder_list(weir_call *call, file_list *out);
/* Size and time of one file as they are now. WEIR_NOT_FOUND when it is gone. */
weir_status folder_stat(weir_call *call, const char *path, int64_t *modified_ns, int64_t *size);
/* The full path of `path`, in the call's memory. */
const char *folder_path(weir_call *call, const char *path);

/* --- rows_csv.c, rows_json.c --- */

/* How a value was written, which decides what may be read into it. */
typedef enum field_kind {
    FIELD_NULL,
    FIELD_RAW,    /* CSV text, JSON number or boolean: any type */
    FIELD_STRING, /* a JSON string: text, or a date or time */
    FIELD_NESTED  /* a JSON object or array, as text */
} field_kind;

typedef struct field {
    weir_bytes name;
    field_kind kind;
    weir_bytes text;
} field;

/* One row; all of it is borrowed for the call that takes it. */
typedef struct row_fields {
    const field *items;
    size_t count;
    int64_t line;    /* from 1 */
    bool same_names; /* as the row before, which was of the same file */
} row_fields;

/* Where to go on in a CSV file. Places are bytes from its start. */
typedef struct row_leap {
    int64_t at;   /* where the next row begins */
    int64_t to;   /* set to where a later one begins, or the file ends, if those between are not wanted: */
    int64_t rows; /*   set to their number */
    int64_t next; /* set to where to ask again, or from there on */
} row_leap;

/* Takes one row. A status other than WEIR_OK ends the reading with that status. */
typedef struct row_sink {
    weir_status (*row)(void *context, const row_fields *row);
    void (*leap)(void *context,
                 row_leap *leap); /* asked behind the header, and as it says; NULL: all are wanted */
    void *context;
} row_sink;

/*
 * Both read `file` from its start; rows are numbered from 1. A malformed file is a task that names file and
 * place.
 */
weir_status rows_read_csv(weir_call *call, const file_entry *file, const row_sink *sink);
weir_status rows_read_json(weir_call *call, const file_entry *file, const row_sink *sink);

static inline weir_status rows_read(weir_call *call, const file_entry *file, const row_sink *sink)
{
    return file->format == FILE_CSV ? rows_read_csv(call, file, sink) : rows_read_json(call, file, sink);
}

/* --- csv_text.c --- */

#define CSV_PADDING 16 /* zeros behind the text: it is looked at in steps of so many bytes */

/* The text of a CSV file, or as much of it as was read. */
typedef struct csv_text {
    char *buffer;
    size_t start; /* of the next row */
    size_t size;  /* of the text, without the padding */
    bool ended;   /* the file has no more */
    char delimiter;
    field *fields; /* COLUMNS_MAX + 1 of them; the row's cells, without names, borrowed from the buffer */
    size_t count;
    uint16_t *escaped; /* as many; cells of the row that have doubled quotes */
    size_t escaped_count;
} csv_text;

typedef enum csv_cut {
    CSV_ROW,
    CSV_MORE, /* the row does not end in the buffer */
    CSV_END,  /* there is no row any more */
    CSV_OPEN, /* the file ends inside quotes */
    CSV_QUOTE /* a quote where none may be, or text behind a closing one */
} csv_cut;

/* Cuts the row at `start`, of which at most COLUMNS_MAX + 1 cells, and moves `start` behind it. */
csv_cut csv_text_row(csv_text *t);

/* --- csv_file.c --- */

/* A file, and the part of it that is in memory. */
typedef struct csv_file {
    FILE *input;
    csv_text text;
    size_t capacity; /* of the text's buffer, without the padding */
    int64_t read_to; /* the place in the file where the text ends */
} csv_file;

typedef enum csv_fault {
    CSV_FINE = 0,
    CSV_READ, /* see errno */
    CSV_MEMORY,
    CSV_TOO_LONG /* a row is longer than 256 MiB */
} csv_fault;

/* The text is empty at first. False: errno says why, and there is nothing to close. */
bool csv_file_open(csv_file *f, const char *path, char delimiter);
void csv_file_close(csv_file *f);
/* Goes on at that place, with no text. */
bool csv_file_seek(csv_file *f, int64_t to);
/* Reads on behind the text, of which what was cut is gone; the end of the file sets `ended`. */
csv_fault csv_file_more(csv_file *f);
/* Moves past line ends; false when the text has nothing else. */
bool csv_file_skip_ends(csv_file *f);
/* The first cell of the row that was cut last that is no UTF-8; the text's `count`: there is none. */
size_t csv_file_broken(const csv_file *f);
/* Completes the row that was cut last: cells that it lacks, and those with that text, are NULL. */
void csv_file_fill(csv_file *f, size_t columns, weir_bytes null_text);

/* Where the next row begins, or line ends before it. */
static inline int64_t csv_file_at(const csv_file *f)
{
    return f->read_to - (int64_t)(f->text.size - f->text.start);
}

/* --- json_text.c --- */

typedef struct json_text {
    char *at;
    char *end;
    bool open;
    const char *why; /* what is wrong; NULL while nothing is */
} json_text;

/* The first byte that a string cannot have as it is: a quote, a backslash, a control character; or `end`. */
const char *json_text_plain(const char *at, const char *end);
/* `object` is UTF-8 and stays until the last field was used; its strings are decoded in place. */
void json_text_start(json_text *t, char *object, size_t size);
/* The next member of the object; false at its end, and when it is malformed: see `why`. */
bool json_text_member(json_text *t, field *out);

/* --- infer.c --- */

/*
 * What is known of a column's values: enough to type it, and to widen it later without looking at old values
 * again. In what order they came makes no difference (R-ENG-20).
 */
typedef struct traits {
    weir_type type;    /* UNSPECIFIED until a value was seen */
    uint32_t kinds;    /* types of values, a bit each; 0: of `type` alone */
    int digits_before; /* most digits before the point, of numbers */
    int digits_after;  /* most digits after it */
    int digits_whole;  /* most digits of a LONG, where it is not the only kind */
    bool exponent;     /* a number was written with an exponent */
} traits;

/* Widens `known` so that it also holds the value. NULL changes nothing. */
void traits_add(traits *known, const field *value);
/* Widens `known` so that it also holds whatever `other` holds. */
void traits_join(traits *known, const traits *other);
/* The column's type as it is declared: STRING while nothing is known. */
weir_type traits_type(const traits *known);
/* The cell for a value that was counted in `known`. Texts are borrowed from `value`. */
weir_cell traits_cell(const traits *known, const char *column, const field *value);

/* --- table.c --- */

typedef struct table_column {
    const char *name;
    traits known;
} table_column;

/* A table while its files are scanned and sent. Columns 0 to 2 are `_file`, `_line` and `_modified`. */
typedef struct table {
    const char *name;
    table_column *columns;
    size_t count;
    size_t capacity;
    weir_column *declared; /* made by table_declare */
    weir_cell *cells;      /* one per column, reused for every row */
    weir_table shape;
    const char *const *keys; /* names of the chosen key columns, NULL-terminated; NULL: `_file` and `_line` */
    size_t *places;          /* the columns of a row's fields, by table_place */
    size_t place_capacity;
} table;

enum {
    COLUMN_FILE,
    COLUMN_LINE,
    COLUMN_MODIFIED,
    COLUMN_FIRST
};

/* An empty table with its three own columns; everything in the call's memory. */
table *table_new(weir_call *call, const char *name, const char *const *keys);
/* Index of a column, added when it is new. `guess` is tried first. */
size_t table_column_index(weir_call *call, table *t, weir_bytes name, size_t guess);
/* Finds the columns of the row's fields, adds new ones, and gives their indexes, one per field. */
const size_t *table_place(weir_call *call, table *t, const row_fields *row);
/* A chosen key column without a value in the row that was placed last; NULL when there is none. */
const char *table_key_without_value(const table *t, const row_fields *row);
/* The task for such a row. */
weir_status table_lacks_key(weir_call *call, const table *t, const char *path, const char *column,
                            int64_t line);
/* True for `_file`, `_line` and `_modified`. */
bool table_is_own(const char *name);
/* A chosen key column that the table does not have; NULL when it has them all. */
const char *table_key_missing(const table *t);
/* Fixes the shape from what the columns hold. */
void table_declare(weir_call *call, table *t);

/* --- scan_part.c --- */

/*
 * Parts of a large CSV file that threads scan while its start is scanned. Where a part's first row begins is
 * a guess, the first line end in the part: whoever comes there from the start knows whether it was right.
 */
typedef struct scan_parts scan_parts;

typedef struct scan_found {
    int64_t begin; /* where the part's first row begins */
    int64_t end;   /* where the first row behind it does, or the file ends */
    int64_t rows;
    const traits *known; /* per field of a row; until scan_parts_free */
} scan_found;

/* How a file is scanned; borrowed for the call. */
typedef struct scan_how {
    const char *path; /* whole */
    int64_t size;
    char delimiter;
    const char *null_text;
    size_t fields;   /* of a row */
    const bool *key; /* per field: it must have a value */
} scan_how;

/* Starts the threads. NULL: the file is small, the machine has one processor, or memory is short. */
scan_parts *scan_parts_new(const scan_how *how);
/* Ends them; accepts NULL. */
void scan_parts_free(scan_parts *parts);
/* A place from which on to look for the next part's first row; INT64_MAX: there is none. */
int64_t scan_parts_next(const scan_parts *parts);
/*
 * Waits for the next part; then comes the one after it. False: it is no use, its rows are to be read as other
 * rows are, or the caller is gone.
 */
bool scan_parts_take(weir_call *call, scan_parts *parts, scan_found *out);

/* --- state.c --- */

/* What was read of one file. */
typedef struct file_mark {
    int64_t modified_ns;
    int64_t size;
    int64_t rows;     /* rows sent */
    int64_t rows_old; /* rows that an earlier version of the file had: to be deleted past the new end */
    bool done;
} file_mark;

/* The state: {"files": {path: mark with its table}, "tables": {table: [{name, traits}]}, "keys": …}. */
json_t *state_load(weir_call *call, const weir_sync *out);
bool state_mark(const json_t *state, const char *path, file_mark *mark);
/* Whether all rows of the file, as it is now, have been sent. */
bool state_has_all(const json_t *state, const file_entry *file);
void state_set_mark(json_t *state, const file_entry *file, const file_mark *mark);
void state_forget(json_t *state, const char *path);
/* Adds the columns that the state knows of the table. */
void state_table(weir_call *call, const json_t *state, table *t);
bool state_knows(weir_call *call, const json_t *state, const char *name);
void state_set_table(weir_call *call, json_t *state, const table *t);
/* The name of the table that is this member of the state's "tables", in the call's memory. */
const char *state_table_name(weir_call *call, const char *member);
/* A task when the table's rows were sent with other key columns. */
weir_status state_check_keys(weir_call *call, const json_t *state, const table *t);
/* Sends the state. */
weir_status state_save(weir_call *call, weir_sync *out, const json_t *state);

/* --- scan.c --- */

/*
 * Learns the table's columns from those of the files that are new or changed, and checks its keys. Sets
 * *changed when there are such files.
 */
weir_status scan_table(weir_call *call, const json_t *state, table *t, const file_entry *files, size_t count,
                       bool *changed);

#endif
