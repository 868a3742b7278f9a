/*
 * shared-postgresql/words: what the server says of an error, without values of rows.
 *
 * Texts of errors end in logs, in reports and in the engine's state, where no row may stand in clear; the
 * server puts the value at fault into its message, its detail and COPY's place.
 */
#ifndef POSTGRESQL_WORDS_H
#define POSTGRESQL_WORDS_H

#include <libpq-fe.h>
#include <weir/weir.h>

/*
 * The message of `result`, an error of the server, with its detail and COPY's place; in one line, in call
 * memory. Of errors that values cause it keeps the names of types, tables, columns and constraints only.
 * NULL when `result` is NULL or has no message: then libpq knows more.
 */
const char *words_of(weir_call *call, const PGresult *result);

/* `message` of libpq in one line, in call memory. */
const char *words_in_one_line(weir_call *call, const char *message);

#endif
