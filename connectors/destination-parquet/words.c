/* destination-parquet/words: see words.h. */
#include "words.h"

#include <string.h>

#include "request.h"
#include "store.h"

const char *words_note(weir_call *call, const manifest_column *column)
{
    weir_params params = column->column.params;
    const char *bounds = "";

    if (column->nanos_of != NULL)
        return weir_sql_fine_note(call, column->nanos_of);
    if (column->column.type == WEIR_DECIMAL && params.precision > 0)
        bounds = weir_printf(call, "(%u,%u)", params.precision, params.scale);
    else if (column->column.type == WEIR_STRING && params.string_byte_length > 0)
        bounds = weir_printf(call, "(%u)", params.string_byte_length);
    return weir_printf(call, "weir:%s%s%s", weir_type_name(column->column.type), bounds,
                       column->column.key ? " KEY" : "");
}

const char *words_make(weir_call *call, const stored_table *t)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_printf(&out, "CREATE OR REPLACE TABLE %s (", t->path);
    for (size_t i = 0; i < t->column_count; i++) {
        const manifest_column *c = &t->columns[i];

        weir_sql_put(&out, i > 0 ? ", " : "");
        weir_sql_put_quoted(&out, c->column.name, '"');
        weir_sql_printf(&out, " %s",
                        c->nanos_of != NULL ? "SMALLINT DEFAULT 0" : request_type(call, &c->column));
    }
    weir_sql_put(&out, ")");
    return out.data;
}

const char *words_columns(weir_call *call, const stored_table *t, const char *before)
{
    weir_sql_text out = weir_sql_text_new(call);

    for (size_t i = 0; i < t->column_count; i++) {
        weir_sql_printf(&out, "%s%s", i > 0 ? ", " : "", before);
        weir_sql_put_quoted(&out, t->columns[i].column.name, '"');
    }
    return out.data;
}

size_t words_run(const stored_table *t, size_t from)
{
    size_t to = from;

    while (to < t->part_count && t->parts[to].columns == t->parts[from].columns)
        to++;
    return to;
}

void words_put_files(weir_sql_text *out, weir_call *call, const stored_table *t, size_t from, size_t to)
{
    weir_sql_put(out, "read_parquet([");
    for (size_t i = from; i < to; i++)
        weir_sql_printf(out, "%s%s", i > from ? ", " : "",
                        weir_sql_value(call, table_part_path(call, t, &t->parts[i])));
    weir_sql_put(out, "], hive_partitioning = false)");
}

void words_put_select(weir_sql_text *out, weir_call *call, const stored_table *t, size_t from, size_t to,
                      const char *more, const char *rest)
{
    weir_sql_printf(out, "SELECT %s", more);
    for (size_t i = 0; i < t->column_count; i++) {
        /* Parts that were written before a companion came. */
        bool lacks = i >= t->parts[from].columns;

        weir_sql_put(out, i > 0 ? ", " : "");
        weir_sql_put(out, lacks ? "CAST(0 AS SMALLINT) AS " : "t.");
        weir_sql_put_quoted(out, t->columns[i].column.name, '"');
    }
    weir_sql_put(out, " FROM ");
    words_put_files(out, call, t, from, to);
    weir_sql_printf(out, " AS t%s", rest);
}

const char *words_rows(weir_call *call, const stored_table *t, size_t from, size_t to, bool filtered)
{
    weir_sql_text out = weir_sql_text_new(call);

    while (from < to) {
        bool some_gone = filtered && t->parts[from].gone > 0;
        size_t end = some_gone ? from + 1 : words_run(t, from);

        for (size_t i = from; filtered && !some_gone && i < end; i++)
            end = t->parts[i].gone > 0 ? i : end;
        end = end < to ? end : to;
        weir_sql_put(&out, out.size > 0 ? " UNION ALL " : "");
        words_put_select(&out, call, t, from, end, "",
                         some_gone ? weir_printf(call,
                                                 " ANTI JOIN (SELECT g.\"row\" FROM " WORDS_GONE
                                                 " AS g WHERE g.part = %zu) AS g ON t.file_row_number = "
                                                 "g.\"row\"",
                                                 from)
                                   : "");
        from = end;
    }
    return out.data;
}

const char *words_copy(weir_call *call, const stored_table *t, const stored_part *p, const char *select)
{
    const options *opt = weir_options(call);

    return weir_printf(call, "COPY (%s) TO %s (FORMAT parquet, COMPRESSION %s, ROW_GROUP_SIZE %lld)", select,
                       weir_sql_value(call, table_part_path(call, t, p)),
                       strcmp(opt->compression, "none") == 0 ? "uncompressed" : opt->compression,
                       (long long)opt->row_group_rows);
}
