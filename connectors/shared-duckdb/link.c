/* shared-duckdb/link: statements and their results. */
#include "link.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "load.h"

#define WAIT_MS 100   /* between two looks at the caller */
#define NAP_NS 100000 /* between two looks at a statement that other threads work on */
#define YIELDS 200    /* before the first nap: short statements are over by then */

struct timespec link_soon(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return until;
}

const char *link_fault(duckdb_result *result, duckdb_error_type *type)
{
    /* What DuckDB puts before the error of a statement that was run by steps, in the place of its type. */
    static const char stepped[] =
        "Invalid Input Error: Attempting to execute an unsuccessful or closed pending query result\nError: ";
    static const struct {
        const char *text;
        duckdb_error_type type;
    } kinds[] = {
        { "Out of Memory ", DUCKDB_ERROR_OUT_OF_MEMORY },
        { "Constraint ", DUCKDB_ERROR_CONSTRAINT },
        { "Conversion ", DUCKDB_ERROR_CONVERSION },
        { "Out of Range ", DUCKDB_ERROR_OUT_OF_RANGE },
        { "Invalid Input ", DUCKDB_ERROR_INVALID_INPUT },
        { "INTERRUPT ", DUCKDB_ERROR_INTERRUPT },
        { "Permission ", DUCKDB_ERROR_PERMISSION },
        { "IO ", DUCKDB_ERROR_IO },
        { "TransactionContext ", DUCKDB_ERROR_TRANSACTION },
        { "FATAL ", DUCKDB_ERROR_FATAL },
        { "INTERNAL ", DUCKDB_ERROR_INTERNAL },
    };
    const char *text = duckdb_result_error(result);

    *type = duckdb_result_error_type(result);
    if (text == NULL || strncmp(text, stepped, strlen(stepped)) != 0)
        return text;
    text += strlen(stepped);
    *type = DUCKDB_ERROR_INVALID;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(text, kinds[i].text, strlen(kinds[i].text)) == 0)
            *type = kinds[i].type;
    return text;
}

/* --- words of errors --- */

/* The type that a value was to have, by the text's end; NULL when it says none of DuckDB's. */
static const char *named_type(const char *message)
{
    static const char *const names[] = { "BOOLEAN", "BOOL",    "TINYINT", "SMALLINT", "INTEGER",
                                         "BIGINT",  "HUGEINT", "FLOAT",   "DOUBLE",   "TIMESTAMP",
                                         "DECIMAL", "DATE",    "TIME",    "BLOB",     "VARCHAR",
                                         "INT8",    "INT16",   "INT32",   "INT64",    "INT128" };
    const char *found = NULL;

    for (const char *at = message; *at != '\0'; at++) {
        size_t size;

        if (strncmp(at, " to ", 4) == 0)
            size = strcspn(at + 4, " (),.!?\n");
        else if (strncmp(at, "type ", 5) == 0)
            size = strcspn(++at + 4, " (),.!?\n");
        else
            continue;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strlen(names[i]) == size && strncmp(at + 4, names[i], size) == 0)
                found = names[i];
    }
    return found;
}

bool link_is_about_rows(duckdb_error_type type, const char *message)
{
    switch (type) {
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_PERMISSION:
    case DUCKDB_ERROR_OUT_OF_MEMORY:
    case DUCKDB_ERROR_INTERRUPT:
    case DUCKDB_ERROR_CATALOG:
    case DUCKDB_ERROR_DEPENDENCY:
    case DUCKDB_ERROR_TRANSACTION:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
        return strstr(message, "uplicate key") != NULL;
    default:
        return true;
    }
}

/*
 * The column of a key that is there twice, with its size; NULL when DuckDB names none. It stands before the
 * key's value, so that no value is taken for it.
 */
static const char *doubled_column(const char *message, int *size)
{
    static const char *const fronts[] = {
        "Constraint Error: Duplicate key \"",
        "TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate "
        "key \"",
    };

    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        const char *column = message + strlen(fronts[i]);

        if (strncmp(message, fronts[i], strlen(fronts[i])) != 0)
            continue;
        *size = (int)strcspn(column, ":\"\n");
        return column[*size] == ':' ? column : NULL;
    }
    return NULL;
}

void link_words(duckdb_error_type type, const char *message, char words[LINK_WORDS_MAX + 1])
{
    /* Texts without a value: of types.c, which come by error(…), and one of DuckDB's that names a column. */
    static const char *const plain[] = { "Invalid Input Error: a stored value of column '",
                                         "Invalid Input Error: a value does not fit the type ",
                                         "Constraint Error: NOT NULL constraint failed: " };
    const char *told = message != NULL && message[0] != '\0' ? message : "unknown error";
    const char *named = named_type(told), *what = "a value or a statement was refused", *kind = "";
    const char *column;
    int size = 0;
    bool hidden = message != NULL && link_is_about_rows(type, message);

    for (size_t i = 0; hidden && i < sizeof plain / sizeof plain[0]; i++)
        hidden = strncmp(message, plain[i], strlen(plain[i])) != 0;
    if (!hidden) {
        size = (int)strcspn(told, "\n");
        size -= size > 0 && told[size - 1] == '!';
        snprintf(words, LINK_WORDS_MAX + 1, "%.*s", size, told);
        return;
    }
    column = doubled_column(message, &size);
    if (column != NULL) {
        snprintf(words, LINK_WORDS_MAX + 1, "Constraint Error: a key of column '%.*s' would be there twice",
                 size, column);
        return;
    }
    if (type == DUCKDB_ERROR_CONVERSION) {
        kind = "Conversion Error: ";
        what = "a value does not fit its new type";
    } else if (type == DUCKDB_ERROR_OUT_OF_RANGE) {
        kind = "Out of Range Error: ";
        what = "a value does not fit its type";
    } else if (type == DUCKDB_ERROR_CONSTRAINT || strstr(message, "uplicate key") != NULL) {
        kind = "Constraint Error: ";
        what = "a constraint or an index of the table does not allow a value";
        named = NULL;
    } else if (type == DUCKDB_ERROR_INVALID_INPUT) {
        kind = "Invalid Input Error: ";
    }
    if (type != DUCKDB_ERROR_CONVERSION && type != DUCKDB_ERROR_OUT_OF_RANGE)
        named = NULL;
    snprintf(words, LINK_WORDS_MAX + 1, "%s%s%s%s", kind, what, named != NULL ? ": " : "",
             named != NULL ? named : "");
}

bool link_execute(duckdb_connection db, const char *sql, duckdb_result *result)
{
    const struct timespec nap = { .tv_nsec = NAP_NS };
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_pending_state state;
    unsigned yields = 0;
    bool done;

    if (duckdb_prepare(db, sql, &statement) != DuckDBSuccess ||
        duckdb_pending_prepared(statement, &pending) != DuckDBSuccess) {
        /* Several statements in one text; or an error, which running them the plain way gives as a result. */
        done = duckdb_query(db, sql, result) == DuckDBSuccess;
    } else {
        while (!duckdb_pending_execution_is_finished(state = duckdb_pending_execute_task(pending))) {
            if (state != DUCKDB_PENDING_NO_TASKS_AVAILABLE)
                continue;
            if (yields++ < YIELDS)
                sched_yield();
            else
                nanosleep(&nap, NULL);
        }
        done = duckdb_execute_pending(pending, result) == DuckDBSuccess;
    }
    duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    return done;
}

static weir_status run(weir_call *call, const char *sql, const char *doing, duckdb_result *out)
{
    duck_link *s = weir_session(call);
    weir_status status = load_wait(call);

    duckdb_destroy_result(out);
    if (status != WEIR_OK)
        return status;
    return link_execute(s->db, sql, out) ? WEIR_OK : link_error(call, out, doing);
}

weir_status link_run(weir_call *call, const char *sql, const char *doing)
{
    duck_link *s = weir_session(call);
    weir_status status = run(call, sql, doing, &s->ran);

    duckdb_destroy_result(&s->ran);
    return status;
}

weir_status link_query(weir_call *call, const char *sql, const char *doing, link_result *out)
{
    duck_link *s = weir_session(call);

    *out = (link_result){ .link = s };
    return run(call, sql, doing, &s->queried);
}

bool link_next(link_result *result)
{
    duck_link *s = result->link;

    while (++result->row >= result->size) {
        duckdb_destroy_data_chunk(&s->chunk);
        s->chunk = duckdb_fetch_chunk(s->queried);
        if (s->chunk == NULL)
            return false;
        result->size = duckdb_data_chunk_get_size(s->chunk);
        result->row = (idx_t)-1;
    }
    return true;
}

const char *link_text(weir_call *call, link_result *result, idx_t column)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(result->link->chunk, column);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    duckdb_string_t *texts = duckdb_vector_get_data(vector);

    if (validity && !duckdb_validity_row_is_valid(validity, result->row))
        return NULL;
    return weir_copy(call, duckdb_string_t_data(&texts[result->row]),
                     duckdb_string_t_length(texts[result->row]));
}

weir_status link_texts(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out)
{
    link_result result;
    weir_status status = link_query(
        call, weir_printf(call, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (%s)", sql), doing, &result);
    idx_t count = status == WEIR_OK ? duckdb_column_count(&result.link->queried) : 0;
    const char **texts = weir_alloc(call, (count + 1) * sizeof *texts);

    while (status == WEIR_OK && link_next(&result)) {
        for (idx_t i = 0; i < count; i++)
            texts[i] = link_text(call, &result, i);
        weir_sql_rows_add(out, texts, count);
    }
    link_finish(&result);
    return status;
}

void link_finish(link_result *result)
{
    duckdb_destroy_data_chunk(&result->link->chunk);
    duckdb_destroy_result(&result->link->queried);
}

weir_status link_has_row(weir_call *call, const char *sql, const char *doing, bool *found)
{
    link_result result;
    weir_status status = link_query(call, sql, doing, &result);

    if (status == WEIR_OK)
        *found = link_next(&result);
    link_finish(&result);
    return status;
}
