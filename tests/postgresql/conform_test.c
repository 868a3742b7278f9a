/*
 * destination-postgresql in this process under the conformance probes of the harness; rows are read back
 * with libpq from the server that the environment names.
 */
#include <weir/testing.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-postgresql/destination.c"
#undef main

#define COLUMNS_MAX 2048
#define NAME_MAX_BYTES 63
#define OID_BOOLEAN 16
#define OID_BYTEA 17

/* The name as the store has it: one that is too long ends in 64 bits of FNV-1a (R-DST-08). */
static void put_name(char *sql, size_t room, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t size = strlen(name), at = strlen(sql);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    if (size > NAME_MAX_BYTES)
        for (size = NAME_MAX_BYTES - 17; ((unsigned char)name[size] & 0xC0) == 0x80; size--)
            continue;
    if (at + 2 * size + 32 > room)
        abort();
    sql[at++] = '"';
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '"')
            sql[at++] = '"';
        sql[at++] = name[i];
    }
    if (strlen(name) > NAME_MAX_BYTES)
        at += (size_t)snprintf(sql + at, room - at, "_%016" PRIx64, hash);
    sql[at++] = '"';
    sql[at] = '\0';
}

static void put(char *sql, size_t room, const char *text)
{
    size_t at = strlen(sql);

    (void)snprintf(sql + at, room - at, "%s", text);
}

static weir_cell cell_at(const PGresult *rows, int row, int column)
{
    char *text = PQgetvalue(rows, row, column);
    weir_cell cell = weir_string("", text);
    size_t size = 0;

    if (PQgetisnull(rows, row, column))
        return weir_null("");
    if (PQftype(rows, column) == OID_BOOLEAN)
        return weir_boolean("", text[0] == 't');
    if (PQftype(rows, column) == OID_BYTEA) {
        unsigned char *bytes = PQunescapeBytea((unsigned char *)text, &size);

        memcpy(text, bytes, size); /* shorter than its digits */
        PQfreemem(bytes);
        return weir_binary("", text, size);
    }
    return cell;
}

static weir_status read_table(void *context, const weir_table *table, weir_rows *out)
{
    static weir_cell cells[COLUMNS_MAX];
    static char sql[COLUMNS_MAX * 160];
    PGconn *link = PQconnectdb("options='-c timezone=UTC -c datestyle=ISO -c bytea_output=hex'");
    weir_status status = WEIR_OK;
    PGresult *rows;

    (void)context;
    (void)snprintf(sql, sizeof sql, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        put(sql, sizeof sql, i > 0 ? ", " : "");
        put_name(sql, sizeof sql, table->columns[i].name);
    }
    put(sql, sizeof sql, " FROM ");
    put_name(sql, sizeof sql, table->schema != NULL && table->schema[0] != '\0' ? table->schema : "public");
    put(sql, sizeof sql, ".");
    put_name(sql, sizeof sql, table->name);
    rows = PQexec(link, sql);
    if (PQresultStatus(rows) != PGRES_TUPLES_OK)
        status = weir_rows_fail(out, "%s", PQerrorMessage(link));
    for (int row = 0; status == WEIR_OK && row < PQntuples(rows); row++) {
        for (int i = 0; i < (int)table->column_count; i++)
            cells[i] = cell_at(rows, row, i);
        weir_rows_add(out, cells, table->column_count);
    }
    PQclear(rows);
    PQfinish(link);
    return status;
}

WEIR_TEST(conforms)
{
    static const char *const options[][2] = { { "host", "PGHOST" },
                                              { "port", "PGPORT" },
                                              { "database", "PGDATABASE" },
                                              { "user", "PGUSER" },
                                              { "password", "PGPASSWORD" } };
    weir_harness *h = weir_harness_destination(&destination);

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        weir_harness_option(h, options[i][0], getenv(options[i][1]));
    weir_harness_read_with(h, read_table, NULL);
    weir_conform_destination(h, &(weir_quirks){ .coarse_times = true, .time_digits = 6 });
}

WEIR_TEST_MAIN()
