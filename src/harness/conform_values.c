/* harness/conform_values: probes of values of every type, from end to end of what the type can hold. */
#include "harness/conform_tables.h"

#define VALUES_MAX 24

/* A table of one column besides the key; values as replace rows, then the same in reverse as updates. */
static void values(const weir_probe_run *p, const weir_column *column, const weir_cell *cells, size_t count)
{
    weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true }, *column };
    weir_table table = { .columns = columns, .column_count = 2 };
    const weir_table *t = weir__probe_create(p, &table);

    for (size_t i = 0; i < count; i++)
        (weir_harness_put)(p->h, t, WEIR_REPLACE, WEIR_CELLS(weir_long("id", (int64_t)i), cells[i]));
    weir__probe_write(p, t);
    weir__probe_compare(p);
    for (size_t i = 0; i < count; i++)
        (weir_harness_put)(p->h, t, WEIR_UPDATE,
                           WEIR_CELLS(weir_long("id", (int64_t)i), cells[count - 1 - i]));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

static void integers(const weir_probe_run *p, weir_type type, int64_t least, int64_t most)
{
    const int64_t numbers[] = { least, least + 1, -1, 0, 1, most - 1, most };
    weir_cell cells[sizeof numbers / sizeof *numbers];

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cells[i] = weir__cell_integer("v", type, numbers[i]);
    values(p, &(weir_column){ .name = "v", .type = type }, cells, sizeof numbers / sizeof *numbers);
}

void weir__probe_value_integers(const weir_probe_run *p)
{
    integers(p, WEIR_SHORT, INT16_MIN, INT16_MAX);
    integers(p, WEIR_INT, INT32_MIN, INT32_MAX);
    integers(p, WEIR_LONG, INT64_MIN, INT64_MAX);
}

static void texts(const weir_probe_run *p, const weir_column *column, const char *const *list)
{
    weir_cell cells[VALUES_MAX];
    size_t count = 0;

    for (; list[count] != NULL; count++) {
        weir_cell cell = weir__cell_bytes("v", column->type, list[count], strlen(list[count]));

        if (column->type >= WEIR_NAIVE_DATE && column->type <= WEIR_UTC_DATETIME)
            (void)weir_time_parse(column->type, list[count], strlen(list[count]), &cell.as.time);
        if (column->type == WEIR_NAIVE_TIME)
            (void)weir_time_parse(column->type, list[count], strlen(list[count]), &cell.as.time);
        cells[count] = cell;
    }
    values(p, column, cells, count);
}

void weir__probe_value_decimals(const weir_probe_run *p)
{
    static const char *const whole[] = { "99999999999999999999999999999999999999",
                                         "-99999999999999999999999999999999999999", "0", "1E+5", NULL };
    static const char *const fraction[] = { "9.9999999999999999999999999999999999999",
                                            "-9.9999999999999999999999999999999999999",
                                            "0.0000000000000000000000000000000000001",
                                            "-0",
                                            "1e-37",
                                            NULL };
    static const char *const money[] = { "1234567.89", "-0.01", "1.5", "1.50", "100", "1.5E2", NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_DECIMAL, .params = { .precision = 38 } }, whole);
    texts(p, &(weir_column){ .name = "v", .type = WEIR_DECIMAL, .params = { .precision = 38, .scale = 37 } },
          fraction);
    texts(p, &(weir_column){ .name = "v", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 2 } },
          money);
}

void weir__probe_value_reals(const weir_probe_run *p)
{
    const weir_cell floats[] = { weir_float("v", 3.4028234663852886e38F), weir_float("v", 1.17549435e-38F),
                                 weir_float("v", 0.1F), weir_float("v", 200.0F),
                                 weir_float("v", -16777217.0F) };
    const weir_cell doubles[] = { weir_double("v", 1.7976931348623157e308),
                                  weir_double("v", 2.2250738585072014e-308),
                                  weir_double("v", 0.1),
                                  weir_double("v", 200),
                                  weir_double("v", 200.5),
                                  weir_double("v", -9007199254740993.0) };

    values(p, &(weir_column){ .name = "v", .type = WEIR_FLOAT }, floats, sizeof floats / sizeof *floats);
    if (!p->quirks->single_precision)
        values(p, &(weir_column){ .name = "v", .type = WEIR_DOUBLE }, doubles,
               sizeof doubles / sizeof *doubles);
}

void weir__probe_value_dates(const weir_probe_run *p)
{
    static const char *const days[] = { "0001-01-01", "1582-10-04", "1582-10-15", "1969-12-31",
                                        "1970-01-01", "2000-02-29", "9999-12-31", NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_NAIVE_DATE }, days);
}

void weir__probe_value_day_times(const weir_probe_run *p)
{
    static const char *const coarse[] = { "00:00:00", "15:00:00", "23:59:59", NULL };
    static const char *const fine[] = { "15:00:00.5", "23:59:59.999999", NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_NAIVE_TIME }, coarse);
    if (!p->quirks->coarse_times || p->quirks->time_digits >= 6)
        texts(p, &(weir_column){ .name = "v", .type = WEIR_NAIVE_TIME }, fine);
}

void weir__probe_value_times(const weir_probe_run *p)
{
    static const char *const naive[] = { "2007-12-03T10:15:30",        "2007-12-03T10:15:30.123",
                                         "2007-12-03T10:15:30.123456", "2007-12-03T10:15:30.123456789",
                                         "1969-12-31T23:59:59.999",    "0001-01-01T00:00:00",
                                         "9999-12-31T23:59:59.999",    NULL };
    static const char *const utc[] = { "2007-12-03T10:15:30Z",        "2007-12-03T10:15:30.123Z",
                                       "2007-12-03T10:15:30.123456Z", "2007-12-03T10:15:30.123456789Z",
                                       "1969-12-31T23:59:59.999Z",    "0001-01-01T00:00:00Z",
                                       "9999-12-31T23:59:59.999Z",    NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_NAIVE_DATETIME }, naive);
    texts(p, &(weir_column){ .name = "v", .type = WEIR_UTC_DATETIME }, utc);
}

void weir__probe_value_bytes(const weir_probe_run *p)
{
    char all[256];
    weir_cell cells[4];
    const weir_table *t;
    weir_table table = { WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                                      { .name = "v", .type = WEIR_BINARY },
                                      { .name = "text", .type = WEIR_STRING }) };

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    cells[0] = weir_binary("v", all, sizeof all);
    cells[1] = weir_binary("v", "", 0);
    cells[2] = weir_binary("v", "\0", 1);
    cells[3] = weir_binary("v", all + 128, 128);
    values(p, &(weir_column){ .name = "v", .type = WEIR_BINARY }, cells, 4);
    t = weir__probe_create(p, &table);
    (weir_harness_put)(p->h, t, WEIR_REPLACE,
                       WEIR_CELLS(weir_long("id", 1), weir_binary("v", all, sizeof all)));
    weir__probe_write(p, t);
    (weir_harness_put)(p->h, t, WEIR_UPDATE,
                       WEIR_CELLS(weir_long("id", 1), weir_unmodified("v"), weir_string("text", "kept")));
    weir__probe_write(p, t);
    weir__probe_compare(p);
}

void weir__probe_value_json(const weir_probe_run *p)
{
    static const char *const documents[] = { "{}",
                                             "[]",
                                             "null",
                                             "true",
                                             "\"text\"",
                                             "[1,[2,{\"a\":null}]]",
                                             "{\"a\":{\"b\":[\"\xF0\x9F\x8C\x8A\",\"\\u00e9\"]}}",
                                             "{\"quote\":\"say \\\"so\\\"\\n\"}",
                                             NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_JSON }, documents);
}

void weir__probe_value_xml(const weir_probe_run *p)
{
    static const char *const documents[] = { "<a/>", "<a b=\"c\">\n  <d>it's, \"so\"</d>\n</a>",
                                             "<?xml version=\"1.0\"?>\r\n<a>&lt;\xF0\x9F\x8C\x8A</a>", NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_XML }, documents);
}

void weir__probe_value_text(const weir_probe_run *p)
{
    static const char *const list[] = { "\xF0\x9F\x8C\x8A\xF0\x9F\xA6\x86",
                                        "e\xCC\x81 \xC3\xA9",
                                        "\xE2\x80\x8B",
                                        "\xEF\xBB\xBF"
                                        "bom",
                                        "\xF4\x8F\xBF\xBF",
                                        "\x01\x1F\x7F",
                                        NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_STRING }, list);
}

/* At the length in bytes, and over it: that grows the column or is refused, but is never cut. */
void weir__probe_value_length(const weir_probe_run *p)
{
    static const char *const list[] = { "12345678", "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "1234567", "", NULL };

    texts(p, &(weir_column){ .name = "v", .type = WEIR_STRING, .params = { .string_byte_length = 8 } }, list);
}
