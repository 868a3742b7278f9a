/* batch: what the reader makes of CSV (R-BAT-05 to R-BAT-09), each fact met in partners' files a test. */
#include "batch_support.h"

static const weir_table plain = {
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "s", .type = WEIR_STRING },
                 { .name = "n", .type = WEIR_INT }),
};

static void expect_rows(const test_reading *how, weir_bytes csv, const char *want)
{
    weir_buf out;
    weir_error err = { 0 };
    test_reading stepwise = *how;

    weir__buf_init(&out, 1 << 20);
    /* Whole, byte by byte, and in odd parts: the same. */
    for (size_t i = 0; i < 3; i++) {
        stepwise.step = i == 0 ? SIZE_MAX : i == 1 ? 1 : 7;
        out.size = 0;
        if (test_read(&stepwise, csv, &out, &err) != WEIR_OK)
            fail_msg("%s", err.text);
        assert_int_equal(out.size, strlen(want));
        assert_memory_equal(out.data, want, out.size);
    }
    weir__buf_clear(&out);
}

static void expect_error(const test_reading *how, weir_bytes csv, const char *part)
{
    weir_buf out;
    weir_error err = { 0 };

    weir__buf_init(&out, 1 << 20);
    assert_int_equal(test_read(how, csv, &out, &err), WEIR_FAILED);
    if (strstr(err.text, part) == NULL || strstr(err.text, "'file.csv'") == NULL)
        fail_msg("'%s' is not in: %s", part, err.text);
    weir__buf_clear(&out);
}

static test_reading reading(weir_batch_kind kind, const weir_table *table)
{
    return (test_reading){ kind, table, test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE), NULL,
                           SIZE_MAX };
}

#define CSV(text) ((weir_bytes){ text, sizeof(text) - 1 })

static void replace(const char *csv, const char *want)
{
    test_reading how = reading(WEIR_BATCH_REPLACE, &plain);

    expect_rows(&how, (weir_bytes){ csv, strlen(csv) }, want);
}

static void replace_fails(const char *csv, const char *part)
{
    test_reading how = reading(WEIR_BATCH_REPLACE, &plain);

    expect_error(&how, (weir_bytes){ csv, strlen(csv) }, part);
}

/* R-BAT-05: column order is arbitrary per file. */
static void columns_are_mapped_by_name(void **state)
{
    (void)state;
    replace("id,s,n\n1,a,10\n2,b,20\n", "1|a|10;2|b|20;");
    replace("n,id,s\n10,1,a\n20,2,b\n", "1|a|10;2|b|20;");
    replace("\"s\",\"n\",\"id\"\na,10,1\n", "1|a|10;");
}

/* R-BAT-05: a final LF may be missing; lines that end in CRLF are understood too. */
static void line_ends_are_taken_leniently(void **state)
{
    (void)state;
    replace("id,s,n\n1,a,10", "1|a|10;");
    replace("id,n,s\n1,10,", "1||10;");
    replace("id,n,s\n1,10,\"x\"", "1|x|10;");
    replace("id,s,n\r\n1,a,10\r\n2,b,20\r\n", "1|a|10;2|b|20;");
    replace("id,n,s\n1,10,a\r\n", "1|a\r|10;"); /* the header ended in LF, so the CR is data */
}

static void header_only_files_have_no_rows(void **state)
{
    (void)state;
    replace("id,s,n\n", "");
    replace("id,s,n", "");
    replace("id,s,n\r\n", "");
}

/* R-BAT-05: a zero-byte file is an error. */
static void empty_files_are_errors(void **state)
{
    (void)state;
    replace_fails("", "is empty");
}

/*
 * R-BAT-05: CR, LF, CRLF, U+2028 and doubled quotes survive in quotes; a backslash is an ordinary character.
 */
static void text_survives_quotes(void **state)
{
    (void)state;
    replace("id,s,n\n1,\"a,b\",1\n", "1|a,b|1;");
    replace("id,s,n\n1,\"a\"\"b\",1\n", "1|a\"b|1;");
    replace("id,s,n\n1,\"\"\"\"\"\",1\n", "1|\"\"|1;");
    replace("id,s,n\n1,\"\"\"a\"\"\",1\n", "1|\"a\"|1;");
    replace("id,s,n\n1,\"a\nb\r\nc\rd\",1\n", "1|a\nb\r\nc\rd|1;");
    replace("id,s,n\n1,\"\xE2\x80\xA8\xC2\x85\",1\n", "1|\xE2\x80\xA8\xC2\x85|1;");
    replace("id,s,n\n1,\"C:\\Program Files\\\",1\n", "1|C:\\Program Files\\|1;");
    replace("id,s,n\n1,back\\slash,1\n", "1|back\\slash|1;");
    replace("id,s,n\n1,a\rb,1\n", "1|a\rb|1;");
    replace("id,s,n\r\n1,\"a\",1\r\n2,b,\"2\"\r\n", "1|a|1;2|b|2;");
}

/* R-BAT-06: NULL and unmodified are texts, whatever the quoting; empty text is the empty string. */
static void markers_are_recognised_in_any_quoting(void **state)
{
    test_reading how = reading(WEIR_BATCH_UPDATE, &plain);

    (void)state;
    expect_rows(
        &how,
        CSV("id,s,n\n1," TEST_NULL ",\"" TEST_NULL "\"\n2," TEST_UNMODIFIED ",\"" TEST_UNMODIFIED "\"\n"),
        "1|<null>|<null>;2|<same>|<same>;");
    expect_rows(&how, CSV("id,s,n\n1,,2\n1,\"\",2\n"), "1||2;1||2;");
    expect_rows(&how, CSV("id,s,n\n1,null,2\n2,NULL,2\n3,\"null\",2\n4,null-,2\n5," TEST_NULL "x,2\n"),
                "1|null|2;2|NULL|2;3|null|2;4|null-|2;5|" TEST_NULL "x|2;");
}

/* R-BAT-05: NUL survives. */
static void nul_is_data(void **state)
{
    static const char csv[] = "id,s,n\n1,\"a\0b\",1\n2,c\0,2\n";
    static const char want[] = "1|a\0b|1;2|c\0|2;";
    test_reading how = reading(WEIR_BATCH_REPLACE, &plain);
    weir_buf out;

    (void)state;
    weir__buf_init(&out, 1000);
    assert_int_equal(test_read(&how, CSV(csv), &out, NULL), WEIR_OK);
    assert_int_equal(out.size, sizeof want - 1);
    assert_memory_equal(out.data, want, out.size);
    weir__buf_clear(&out);
}

/* R-BAT-06: the strings come from the request; in BINARY columns they are no base64. */
static void markers_come_from_the_request(void **state)
{
    const weir_table table = {
        .name = "t",
        WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "b", .type = WEIR_BINARY },
                     { .name = "f", .type = WEIR_BOOLEAN }),
    };
    test_reading how = reading(WEIR_BATCH_UPDATE, &table);

    (void)state;
    expect_rows(
        &how,
        CSV("id,b,f\n1," TEST_NULL "," TEST_UNMODIFIED "\n2,\"" TEST_UNMODIFIED "\",true\n3,AAA=,false\n"),
        "1|<null>|<same>;2|<same>|true;3|AAA=|false;");
    how.params.null_string = CSV("magic-nullvalue");
    how.params.unmodified_string = CSV("unmod-testmarker");
    expect_rows(&how, CSV("id,b,f\n1,magic-nullvalue,unmod-testmarker\n"), "1|<null>|<same>;");
    how.params.null_string = CSV("");
    expect_rows(&how, CSV("id,b,f\n1,,true\n"), "1|<null>|true;");
    how.params.unmodified_string = CSV("");
    expect_rows(&how, CSV("id,b,f\n1,,true\n"), "1|<null>|true;");
    how.params.null_string = CSV("same");
    how.params.unmodified_string = CSV("same");
    expect_error(&how, CSV("id,b,f\n"), "are the same");
}

/* R-BAT-09: what absent columns mean depends on the kind of file. */
static void absent_columns(void **state)
{
    test_reading how = reading(WEIR_BATCH_REPLACE, &plain);

    (void)state;
    expect_rows(&how, CSV("s,id\na,1\n"), "1|a|<null>;");
    how.kind = WEIR_BATCH_UPDATE;
    expect_rows(&how, CSV("s,id\na,1\n"), "1|a|<same>;");
    how.kind = WEIR_BATCH_DELETE;
    expect_rows(&how, CSV("id\n1\n2\n"), "1|<same>|<same>;2|<same>|<same>;");
}

/* R-BAT-09: columns that the table lacks are an error that names them, and so is a missing key. */
static void wrong_columns_are_named(void **state)
{
    test_reading how = reading(WEIR_BATCH_UPDATE, &plain);

    (void)state;
    replace_fails("id,s,n,extra\n1,a,1,x\n", "column 'extra' is not in table 't'");
    replace_fails("ID,s,n\n", "column 'ID'");
    replace_fails("s,n\na,1\n", "key of table 't' is not in it: 'id'");
    replace_fails("id,s,n,s\n", "column 's' is there twice");
    replace_fails("\n", "column ''");
    expect_error(&how, CSV("s,n\na,1\n"), "'id'");
}

/*
 * In a delete file only keys and system columns matter; other cells may hold anything (R-BAT-09, R-HIS-04).
 */
static void delete_files_only_count_keys(void **state)
{
    const weir_table history = {
        .name = "t",
        WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "n", .type = WEIR_INT },
                     { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
                     { .name = "_fivetran_end", .type = WEIR_UTC_DATETIME }),
    };
    test_reading how = reading(WEIR_BATCH_DELETE, &history);

    (void)state;
    expect_rows(&how, CSV("_fivetran_end,id\n2024-01-01T00:00:00Z,1\n"),
                "1|<same>|<same>|2024-01-01T00:00:00Z;");
    expect_rows(
        &how,
        CSV("n,id,other,_fivetran_start,_fivetran_end\nno number,1,x," TEST_NULL ",2024-01-01T00:00:00Z\n"),
        "1|<same>|<null>|2024-01-01T00:00:00Z;");
    expect_error(&how, CSV("_fivetran_end\n2024-01-01T00:00:00Z\n"), "'id'");
    how.kind = WEIR_BATCH_EARLIEST_START; /* R-HIS-02: keys and _fivetran_start */
    expect_rows(&how, CSV("_fivetran_start,id\n2024-01-01T00:00:00.000000001Z,1\n"),
                "1|<same>|2024-01-01T00:00:00.000000001Z|<same>;");
    expect_error(&how, CSV("id\n1\n"), "'_fivetran_start'");
}

static void ops_follow_from_the_kind(void **state)
{
    static const weir_op ops[] = { WEIR_REPLACE, WEIR_UPDATE, WEIR_DELETE, WEIR_EARLIEST };
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    weir_reader *reader = weir__reader_new();
    weir_row row;

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        test_source source = { "id\n1\n", 5, 0, SIZE_MAX };
        weir_reader_file file = { "f",  (weir_batch_kind)kind,        &plain, &params,
                                  NULL, { test_source_read, &source } };

        assert_int_equal(weir__reader_open(reader, &file, NULL), WEIR_OK);
        assert_int_equal(weir__reader_next(reader, &row, NULL), WEIR_ITEM);
        assert_int_equal(row.op, ops[kind]);
        assert_int_equal(row.count, 3);
        assert_string_equal(row.cells[2].column, "n");
        assert_int_equal(row.cells[2].type, WEIR_INT);
        assert_int_equal(weir__reader_next(reader, &row, NULL), WEIR_OK);
        assert_int_equal(weir__reader_next(reader, &row, NULL), WEIR_OK);
        assert_int_equal(weir__reader_rows(reader), 1);
    }
    weir__reader_free(reader);
}

static void malformed_rows_are_refused(void **state)
{
    (void)state;
    replace_fails("id,s,n\n1,a\n", "row 1 has fewer cells than the header's 3");
    replace_fails("id,s,n\n1,a,1\n2,a,2,x\n", "row 2 has more cells than the header's 3");
    replace_fails("id,s,n\n1,a,1\n\n", "row 2 has fewer cells");
    replace_fails("id,s,n\n1,a,1\n2", "row 2 has fewer cells");
    replace_fails("id,s,n\n1,\"a\"b,1\n", "cannot be decoded");
    replace_fails("id,s,n\n1,a\"b,1\n", "cannot be decoded");
    replace_fails("id,s,n\n1,a\"b\",1\n", "cannot be decoded");
    replace_fails("id,s,n\n1,\"a\" ,1\n", "cannot be decoded");
    replace_fails("id,s,n\n1, \"a\",1\n", "cannot be decoded");
    replace_fails("id,s,n\n1,\"a,1\n", "cannot be decoded");
    replace_fails("id,s,n\n1,\"a\"\",1\n", "cannot be decoded");
    replace_fails("id,\"s,n\n", "cannot be decoded");
}

/* R-BAT-08: a text that is no value of its column's type is named with file, row, column and type. */
static void bad_values_are_named(void **state)
{
    (void)state;
    replace_fails("id,s,n\n1,a,1\n2,a,2147483648\n",
                  "row 2, column 'n': '2147483648' is no value of type INT");
    replace_fails("id,s,n\n,a,1\n", "row 1, column 'id': '' is no value of type LONG");
    replace_fails("id,s,n\n1,\xFF,1\n", "row 1, column 's': the cell is not UTF-8");
    replace_fails("id,s,n\n1,\xED\xA0\x80,1\n", "not UTF-8");
    replace_fails("id,s,n\n1,a,1\n2,\"\xC3\",1\n", "row 2");
}

/* R-BAT-08: exponents are accepted on reading; what is handed out is plain. */
static void decimals_come_out_plain(void **state)
{
    const weir_table table = {
        .name = "t",
        WEIR_COLUMNS({ .name = "id", .type = WEIR_DECIMAL, .key = true },
                     { .name = "d", .type = WEIR_DECIMAL }),
    };
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    test_source source = { "id,d\n1e3,-0.50\n+1.5E-3,007\n", 27, 0, SIZE_MAX };
    weir_reader_file file = { "f", WEIR_BATCH_REPLACE, &table, &params, NULL, { test_source_read, &source } };
    weir_reader *reader = weir__reader_new();
    weir_row row;

    (void)state;
    assert_int_equal(weir__reader_open(reader, &file, NULL), WEIR_OK);
    assert_int_equal(weir__reader_next(reader, &row, NULL), WEIR_ITEM);
    assert_memory_equal(row.cells[0].as.bytes.data, "1000", 4);
    assert_memory_equal(row.cells[1].as.bytes.data, "-0.50", 5);
    assert_int_equal(weir__reader_next(reader, &row, NULL), WEIR_ITEM);
    assert_memory_equal(row.cells[0].as.bytes.data, "0.0015", 6);
    assert_int_equal(row.cells[0].as.bytes.size, 6);
    assert_int_equal(row.cells[1].as.bytes.size, 1);
    weir__reader_free(reader);
}

/* A single column: an empty line is a row with an empty string; our writer puts "" there. */
static void single_columns_may_be_empty(void **state)
{
    const weir_table table = { .name = "t", WEIR_COLUMNS({ .name = "s", .type = WEIR_STRING }) };
    test_reading how = reading(WEIR_BATCH_REPLACE, &table);

    (void)state;
    expect_rows(&how, CSV("s\n\n\"\"\nx\n\n"), ";;x;;");
}

/* Text of `size` bytes that needs every care, in the buffer at `out`: quotes, commas, line ends. */
static void put_text(weir_buf *out, size_t size, uint64_t seed)
{
    static const char characters[] = "\",\n\r;ab\\ ";
    char *at = weir__buf_reserve(out, size);

    for (size_t i = 0; i < size; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        at[i] = characters[(seed >> 33) % (sizeof characters - 1)];
    }
    out->size += size;
}

/* R-BAT-05: whatever text is written comes back, wherever in the buffers its quotes fall. */
static void random_text_round_trips(void **state)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    weir_buf text;
    weir_buf csv;
    weir_error err;
    weir_row row;

    (void)state;
    weir__buf_init(&text, 64 * WEIR_MIB);
    weir__buf_init(&csv, 64 * WEIR_MIB);
    for (uint64_t round = 0; round < 60; round++) {
        size_t step = round % 3 == 0 ? SIZE_MAX : round % 3 == 1 ? 64 : 1000;
        test_source source;
        weir_reader *reader = weir__reader_new();
        weir_reader_file file = { "f",  WEIR_BATCH_REPLACE,           &plain, &params,
                                  NULL, { test_source_read, &source } };

        text.size = 0;
        csv.size = 0;
        put_text(&text, 1 << 16, round + 1);
        assert_int_equal(weir__csv_put_header(&csv, &plain, &err), WEIR_OK);
        for (size_t i = 0; i < 500; i++) {
            weir_cell cells[] = { weir_long("id", (int64_t)i),
                                  weir_string_n("s", text.data + i * 97, i % 131), weir_null("n") };

            assert_int_equal(weir__csv_put_row(&csv, &params, cells, 3, &err), WEIR_OK);
        }
        source = (test_source){ csv.data, csv.size, 0, step };
        assert_int_equal(weir__reader_open(reader, &file, &err), WEIR_OK);
        for (size_t i = 0; i < 500; i++) {
            assert_int_equal(weir__reader_next(reader, &row, &err), WEIR_ITEM);
            assert_int_equal(row.cells[0].as.integer, i);
            assert_int_equal(row.cells[1].as.bytes.size, i % 131);
            if (i % 131 > 0)
                assert_memory_equal(row.cells[1].as.bytes.data, text.data + i * 97, i % 131);
        }
        assert_int_equal(weir__reader_next(reader, &row, &err), WEIR_OK);
        weir__reader_free(reader);
    }
    weir__buf_clear(&text);
    weir__buf_clear(&csv);
}

/* Cells over 16 MiB, where other readers stop, and memory that stays near the longest row. */
static void cells_may_be_large(void **state)
{
    const size_t sizes[] = { 15 * WEIR_MIB, 20 * WEIR_MIB, 27 * WEIR_MIB, 1 };
    weir_file_params params = test_params(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES);
    weir_writer *writer = weir__writer_new();
    weir_reader *reader = weir__reader_new();
    weir_buf text;
    weir_buf packed;
    weir_error err;
    weir_row row;
    test_source source;
    weir_writer_file written = { &plain, &params, test_key, test_iv, { test_sink_write, &packed } };
    weir_reader_file file = { "f",     WEIR_BATCH_REPLACE, &plain,
                              &params, test_key,           { test_source_read, &source } };

    (void)state;
    weir__buf_init(&text, 32 * WEIR_MIB);
    weir__buf_init(&packed, 256 * WEIR_MIB);
    put_text(&text, sizes[2], 1);
    assert_int_equal(weir__writer_begin(writer, &written, &err), WEIR_OK);
    for (size_t i = 0; i < 4; i++) {
        weir_cell cells[] = { weir_long("id", 1), weir_string_n("s", text.data, sizes[i]), weir_int("n", 2) };

        assert_int_equal(weir__writer_row(writer, cells, &err), WEIR_OK);
    }
    assert_int_equal(weir__writer_finish(writer, NULL, &err), WEIR_OK);
    source = (test_source){ packed.data, packed.size, 0, SIZE_MAX };
    assert_int_equal(weir__reader_open(reader, &file, &err), WEIR_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(weir__reader_next(reader, &row, &err), WEIR_ITEM);
        assert_int_equal(row.cells[1].as.bytes.size, sizes[i]);
        assert_memory_equal(row.cells[1].as.bytes.data, text.data, sizes[i]);
        assert_int_equal(row.cells[2].as.integer, 2);
    }
    assert_int_equal(weir__reader_next(reader, &row, &err), WEIR_OK);
    assert_true(weir__reader_memory(reader) <= WEIR_BATCH_ROW_TEXT_MAX + WEIR_MIB);
    weir__reader_free(reader);
    weir__writer_free(writer);
    weir__buf_clear(&text);
    weir__buf_clear(&packed);
}

typedef struct endless {
    size_t left;
    const char *head;
} endless;

/* `head`, then `left` bytes of 'x'. */
static weir_status endless_read(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    endless *source = context;

    (void)err;
    if (*source->head != '\0') {
        *(char *)data = *source->head++;
        *got = 1;
        return WEIR_ITEM;
    }
    if (source->left == 0)
        return WEIR_OK;
    *got = size < source->left ? size : source->left;
    memset(data, 'x', *got);
    source->left -= *got;
    return WEIR_ITEM;
}

static void expect_endless_error(const char *head, size_t size, const char *part)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    endless source = { size, head };
    weir_reader_file file = { "f", WEIR_BATCH_REPLACE, &plain, &params, NULL, { endless_read, &source } };
    weir_reader *reader = weir__reader_new();
    weir_error err;
    weir_row row;
    weir_status status = weir__reader_open(reader, &file, &err);

    if (status == WEIR_OK)
        status = weir__reader_next(reader, &row, &err);
    assert_int_equal(status, WEIR_FAILED);
    if (strstr(err.text, part) == NULL)
        fail_msg("'%s' is not in: %s", part, err.text);
    assert_true(weir__reader_memory(reader) <= WEIR_BATCH_ROW_TEXT_MAX + WEIR_MIB);
    assert_int_equal(weir__reader_next(reader, &row, &err), WEIR_FAILED);
    weir__reader_free(reader);
}

/*
 * Bombs end at a limit, with bounded memory: a quote that never closes, endless cells and headers (R-BAT-10).
 */
static void endless_cells_stop_at_a_limit(void **state)
{
    char head[40000];

    (void)state;
    expect_endless_error("id,s,n\n1,\"", 300 * WEIR_MIB, "row 1 is larger than");
    expect_endless_error("id,s,n\n1,", 300 * WEIR_MIB, "row 1 is larger than");
    expect_endless_error("id,s,n\n1,\"", 10, "cannot be decoded");
    expect_endless_error("", 300 * WEIR_MIB, "row 1 is larger than");
    memset(head, ',', sizeof head);
    memcpy(head + sizeof head - 2, "\n", 2);
    expect_endless_error(head, 10, "column ''");
}

static void too_large_cells_are_refused(void **state)
{
    weir_buf csv;
    test_reading how = reading(WEIR_BATCH_REPLACE, &plain);
    char *at;

    (void)state;
    weir__buf_init(&csv, 80 * WEIR_MIB);
    assert_true(weir__buf_put_text(&csv, "id,n,s\n1,1,"));
    at = weir__buf_reserve(&csv, WEIR_CELL_SIZE_MAX + 2);
    memset(at, 'x', WEIR_CELL_SIZE_MAX + 1);
    csv.size += WEIR_CELL_SIZE_MAX + 1;
    expect_error(&how, weir__buf_bytes(&csv), "column 's': the cell is larger than 67108864 bytes");
    weir__buf_clear(&csv);
}

static weir_status reading_scenario(void *context)
{
    test_reading how = { WEIR_BATCH_REPLACE, &plain, test_params(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES),
                         test_key, 100 };
    weir_buf out;
    weir_status status;

    weir__buf_init(&out, 1 << 16);
    status = test_read(&how, *(weir_bytes *)context, &out, NULL);
    weir__buf_clear(&out);
    return status;
}

static weir_status writing_scenario(void *context)
{
    weir_file_params params = test_params(*(weir_compression *)context, WEIR_ENCRYPTION_AES);
    weir_writer *writer = weir__writer_new();
    weir_buf out;
    weir_writer_file file = { &plain, &params, test_key, test_iv, { test_sink_write, &out } };
    weir_cell cells[] = { weir_long("id", 1), weir_string("s", "a, b"), weir_null("n") };
    weir_status status = WEIR_FAILED;

    weir__buf_init(&out, 1 << 20);
    if (writer != NULL)
        status = weir__writer_begin(writer, &file, NULL);
    if (status == WEIR_OK)
        status = weir__writer_row(writer, cells, NULL);
    if (status == WEIR_OK)
        status = weir__writer_finish(writer, NULL, NULL);
    weir__writer_free(writer);
    weir__buf_clear(&out);
    return status;
}

static void every_failed_allocation_is_reported(void **state)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES);
    weir_compression compressions[] = { WEIR_COMPRESSION_OFF, WEIR_COMPRESSION_ZSTD, WEIR_COMPRESSION_GZIP };
    weir_buf packed;
    weir_bytes data;
    weir_error err;

    (void)state;
    weir__buf_init(&packed, 1 << 20);
    assert_int_equal(test_pack(CSV("id,s,n\n1,a,1\n2,b,2\n"), &params, &packed, &err), WEIR_OK);
    data = weir__buf_bytes(&packed);
    WEIR_EVERY_FAILURE(reading_scenario, &data);
    weir__buf_clear(&packed);
    for (size_t i = 0; i < 3; i++)
        WEIR_EVERY_FAILURE(writing_scenario, &compressions[i]);
}

/* A row costs no allocation, neither written nor read. */
/* What was borrowed from a row is overwritten with the next one, so that keeping it is seen at once. */
static void kept_rows_are_poisoned(void **state)
{
#ifdef WEIR_POISON
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    test_source source = { "id,s\n1,first\n2,second\n", 22, 0, SIZE_MAX };
    weir_reader_file file = {
        "f", WEIR_BATCH_UPDATE, &plain, &params, NULL, { test_source_read, &source }, 0
    };
    weir_reader *reader = weir__reader_new();
    weir_row first;
    weir_row second;
    weir_bytes kept;

    assert_int_equal(weir__reader_open(reader, &file, NULL), WEIR_OK);
    assert_int_equal(weir__reader_next(reader, &first, NULL), WEIR_ITEM);
    kept = first.cells[1].as.bytes;
    assert_memory_equal(kept.data, "first", 5);
    assert_int_equal(weir__reader_next(reader, &second, NULL), WEIR_ITEM);
    assert_memory_equal(kept.data, "\xDB\xDB\xDB\xDB\xDB", 5);
    assert_int_not_equal(first.cells[0].as.integer, 1);
    assert_int_equal(second.cells[0].as.integer, 2);
    assert_memory_equal(second.cells[1].as.bytes.data, "second", 6);
    assert_int_equal(second.cells[2].presence, WEIR_UNMODIFIED); /* what is absent stays so */
    assert_int_equal(weir__reader_next(reader, &second, NULL), WEIR_OK);
    weir__reader_free(reader);
#endif
    (void)state;
}

static void rows_cost_no_allocation(void **state)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES);
    weir_writer *writer = weir__writer_new();
    weir_reader *reader = weir__reader_new();
    weir_buf packed;
    test_source source;
    weir_writer_file written = { &plain, &params, test_key, test_iv, { test_sink_write, &packed } };
    weir_reader_file file = { "f",     WEIR_BATCH_REPLACE, &plain,
                              &params, test_key,           { test_source_read, &source } };
    weir_cell cells[] = { weir_long("id", 1), weir_string("s", "a \"text\" that is longer than 24 bytes"),
                          weir_int("n", 1) };
    weir_error err;
    weir_row row;
    int64_t before;

    (void)state;
    weir__buf_init(&packed, 64 * WEIR_MIB);
    assert_non_null(weir__buf_grow(&packed, 32 * WEIR_MIB));
    assert_int_equal(weir__writer_begin(writer, &written, &err), WEIR_OK);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(weir__writer_row(writer, cells, &err), WEIR_OK);
    before = weir__alloc_total();
    for (int i = 0; i < 100000; i++)
        assert_int_equal(weir__writer_row(writer, cells, &err), WEIR_OK);
    assert_int_equal(weir__alloc_total(), before);
    assert_int_equal(weir__writer_finish(writer, NULL, &err), WEIR_OK);
    source = (test_source){ packed.data, packed.size, 0, SIZE_MAX };
    assert_int_equal(weir__reader_open(reader, &file, &err), WEIR_OK);
    assert_int_equal(weir__reader_next(reader, &row, &err), WEIR_ITEM);
    before = weir__alloc_total();
    while (weir__reader_next(reader, &row, &err) == WEIR_ITEM)
        continue;
    assert_int_equal(weir__alloc_total(), before);
    assert_int_equal(weir__reader_rows(reader), 120000);
    weir__reader_free(reader);
    weir__writer_free(writer);
    weir__buf_clear(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_mapped_by_name),
        cmocka_unit_test(line_ends_are_taken_leniently),
        cmocka_unit_test(header_only_files_have_no_rows),
        cmocka_unit_test(empty_files_are_errors),
        cmocka_unit_test(text_survives_quotes),
        cmocka_unit_test(nul_is_data),
        cmocka_unit_test(markers_are_recognised_in_any_quoting),
        cmocka_unit_test(markers_come_from_the_request),
        cmocka_unit_test(absent_columns),
        cmocka_unit_test(wrong_columns_are_named),
        cmocka_unit_test(delete_files_only_count_keys),
        cmocka_unit_test(ops_follow_from_the_kind),
        cmocka_unit_test(malformed_rows_are_refused),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(decimals_come_out_plain),
        cmocka_unit_test(single_columns_may_be_empty),
        cmocka_unit_test(random_text_round_trips),
        cmocka_unit_test(cells_may_be_large),
        cmocka_unit_test(endless_cells_stop_at_a_limit),
        cmocka_unit_test(too_large_cells_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(kept_rows_are_poisoned),
        cmocka_unit_test(rows_cost_no_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
