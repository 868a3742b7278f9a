/* cli/readback: see readback.h. */
#include "cli/readback.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static weir_status begin(void *context, const weir_table *expected, const char *const **columns,
                         size_t *count, weir_error *err)
{
    return rows_reader_begin(context, expected, columns, count, err);
}

static weir_status next(void *context, const weir_seen_cell **cells, weir_error *err)
{
    return rows_reader_next(context, cells, err);
}

static void end(void *context)
{
    rows_reader_end(context);
}

static weir_status check(void *context, weir_error *err)
{
    weir_error why;

    return rows_reader_check(context, &why) == WEIR_OK ? WEIR_OK : weir__error(err, "%s", why.text);
}

/* What a sync that fails says is kept; this is not. */
static void show(const char *text)
{
    cli_error("the command of --read-back has said: %s", text);
}

readback_store cli_readback_store(rows_reader *reader)
{
    rows_reader_show(reader, show);
    return (readback_store){ .context = reader,
                             .begin = begin,
                             .next = next,
                             .end = end,
                             .time_digits = rows_reader_time_digits(reader),
                             .check = check };
}

json_t *cli_readback_json(const ledger_readback *one)
{
    const readback_result *r = &one->result;

    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s}",
                     "schema", r->schema, "table", r->table, "source_schema", r->source_schema,
                     "source_table", r->source_table, "compared", r->compared, "agrees", readback_agrees(r),
                     "rows", (json_int_t)r->rows, "seen", (json_int_t)r->seen, "missing",
                     (json_int_t)r->missing, "different", (json_int_t)r->different, "extra",
                     (json_int_t)r->extra, "undeleted", (json_int_t)r->undeleted, "columns_missing",
                     (json_int_t)r->columns, "unsure", (json_int_t)r->unsure, "sum_sent", one->sum_sent,
                     "sum_seen", one->sum_seen, "note", r->note);
}

/* Names are the source's: control characters become blanks. */
static void print_text(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7F ? ' ' : *text);
}

static void print_path(const char *schema, const char *table)
{
    print_text(schema);
    print_text(schema[0] != '\0' ? "." : "");
    print_text(table);
}

void cli_readback_print(const ledger_readback *one)
{
    const readback_result *r = &one->result;

    print_path(r->schema, r->table);
    if (r->source_table[0] != '\0' &&
        (r->source_schema[0] != '\0' || strcmp(r->source_table, r->table) != 0)) {
        printf(" (the source's ");
        print_path(r->source_schema, r->source_table);
        printf(")");
    }
    if (!r->compared && readback_agrees(r)) {
        printf(" read back: not compared%s", r->note[0] != '\0' ? ": " : "");
        print_text(r->note);
        printf("\n");
        return;
    }
    printf(" read back: %" PRIu64 " of %" PRIu64 " rows", r->seen, r->rows);
    if (r->missing + r->different + r->extra + r->undeleted > 0)
        printf(", %" PRIu64 " missing, %" PRIu64 " different, %" PRIu64 " twice, %" PRIu64 " not deleted",
               r->missing, r->different, r->extra, r->undeleted);
    if (r->unsure > 0)
        printf(", %" PRIu64 " unsure", r->unsure);
    printf(": %s\n", readback_agrees(r) ? "agrees" : "DIFFERS");
    if (r->note[0] == '\0')
        return;
    printf("  ");
    print_text(r->note);
    printf("\n");
}
