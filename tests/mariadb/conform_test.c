/*
 * destination-mariadb in this process under the conformance probes of the harness; rows are read back
 * over a connection of its own from the server that the environment names.
 */
#include <weir/testing.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-mariadb/destination.c"
#undef main

#define COLUMNS_MAX 2048
#define NAME_MAX_BYTES 64
#define BINARY_CHARSET 63

/*
 * The name as the store has it: one that is too long, or has characters of four bytes, which become "_", ends
 * in 64 bits of FNV-1a (R-DST-08).
 */
static void put_name(char *sql, size_t room, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char kept[1024];
    size_t size = 0, at = strlen(sql);
    bool changed = false;

    for (const char *from = name; *from != '\0'; from++) {
        unsigned char byte = (unsigned char)*from;

        hash = (hash ^ byte) * UINT64_C(0x100000001b3);
        changed = changed || byte >= 0xF0;
        if (byte >= 0xF0)
            kept[size++] = '_';
        else if ((byte & 0xC0) != 0x80 || kept[size - 1] != '_' || !changed)
            kept[size++] = *from;
    }
    kept[size] = '\0';
    changed = changed || size > NAME_MAX_BYTES;
    if (changed && size > NAME_MAX_BYTES - 17)
        for (size = NAME_MAX_BYTES - 17; ((unsigned char)kept[size] & 0xC0) == 0x80; size--)
            continue;
    if (at + 2 * size + 32 > room)
        abort();
    sql[at++] = '"';
    for (size_t i = 0; i < size; i++) {
        if (kept[i] == '"')
            sql[at++] = '"';
        sql[at++] = kept[i];
    }
    if (changed)
        at += (size_t)snprintf(sql + at, room - at, "_%016" PRIx64, hash);
    sql[at++] = '"';
    sql[at] = '\0';
}

static void put(char *sql, size_t room, const char *text)
{
    size_t at = strlen(sql);

    (void)snprintf(sql + at, room - at, "%s", text);
}

static weir_cell cell_at(const MYSQL_FIELD *field, const char *text, unsigned long size)
{
    bool bytes = field->charsetnr == BINARY_CHARSET && field->flags & BINARY_FLAG;

    if (text == NULL)
        return weir_null("");
    if (field->type == MYSQL_TYPE_TINY && field->length == 1)
        return weir_boolean("", text[0] == '1');
    if (bytes && (field->type == MYSQL_TYPE_BLOB || field->type == MYSQL_TYPE_VAR_STRING))
        return weir_binary("", text, size);
    return weir_string("", text);
}

/* FLOAT is shown in six digits, so it is read as DOUBLE, like all that has few of them. */
static MYSQL_RES *read_rows(MYSQL *link, const weir_table *table)
{
    static char sql[COLUMNS_MAX * 160];

    (void)snprintf(sql, sizeof sql, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        bool single = table->columns[i].type == WEIR_FLOAT;

        put(sql, sizeof sql, i > 0 ? ", " : "");
        put(sql, sizeof sql, single ? "CAST(" : "");
        put_name(sql, sizeof sql, table->columns[i].name);
        put(sql, sizeof sql, single ? " AS DOUBLE)" : "");
    }
    put(sql, sizeof sql, " FROM ");
    put_name(sql, sizeof sql,
             table->schema != NULL && table->schema[0] != '\0' ? table->schema : getenv("MARIADB_DATABASE"));
    put(sql, sizeof sql, ".");
    put_name(sql, sizeof sql, table->name);
    return mysql_query(link, "SET sql_mode = 'ANSI_QUOTES'") == 0 && mysql_query(link, sql) == 0
               ? mysql_store_result(link)
               : NULL;
}

static weir_status read_table(void *context, const weir_table *table, weir_rows *out)
{
    static weir_cell cells[COLUMNS_MAX];
    MYSQL *link = mysql_init(NULL);
    weir_status status = WEIR_OK;
    MYSQL_RES *rows = NULL;
    MYSQL_ROW row;

    (void)context;
    mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(link, "localhost", getenv("MARIADB_USER"), getenv("MARIADB_PASSWORD"), NULL, 0,
                           getenv("MARIADB_SOCKET"), 0) != NULL)
        rows = read_rows(link, table);
    if (rows == NULL)
        status = weir_rows_fail(out, "%s", mysql_error(link));
    while (status == WEIR_OK && (row = mysql_fetch_row(rows)) != NULL) {
        for (unsigned i = 0; i < table->column_count; i++)
            cells[i] = cell_at(mysql_fetch_field_direct(rows, i), row[i], mysql_fetch_lengths(rows)[i]);
        weir_rows_add(out, cells, table->column_count);
    }
    mysql_free_result(rows);
    mysql_close(link);
    return status;
}

WEIR_TEST(conforms)
{
    static const char *const options[][2] = { { "host", "MARIADB_SOCKET" },

                                              { "database", "MARIADB_DATABASE" },
                                              { "user", "MARIADB_USER" },
                                              { "password", "MARIADB_PASSWORD" } };
    weir_harness *h = weir_harness_destination(&destination);

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        weir_harness_option(h, options[i][0], getenv(options[i][1]));
    weir_harness_read_with(h, read_table, NULL);
    weir_conform_destination(h, &(weir_quirks){ .coarse_times = true, .time_digits = 6 });
}

WEIR_TEST_MAIN()
