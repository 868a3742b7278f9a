/*
 * A source for the crash tests: every type, every operation, the same rows at every run.
 *
 * The stream is a list of numbered steps, each a pure function of its number: first an upsert per row, then a
 * mixture of upserts, updates and deletes of rows drawn at random. The state is the number of the next step,
 * so a sync that was killed anywhere goes on with the very operations that an undisturbed one sends.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include <weir/weir.h>

typedef struct options {
    int64_t rows;
    int64_t changes;
    int64_t checkpoint_every;
    int64_t pause_us; /* per checkpoint, so that a small sync lasts long enough to be hit */
    bool turns;       /* also a warning, a new column, a truncate and another key on the way */
    int64_t task_at;  /* step at which it asks for a person; 0: never */
} options;

static const weir_table everything = {
    .name = "everything",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                 { .name = "boolean", .type = WEIR_BOOLEAN }, { .name = "short", .type = WEIR_SHORT },
                 { .name = "int", .type = WEIR_INT }, { .name = "long", .type = WEIR_LONG },
                 { .name = "decimal", .type = WEIR_DECIMAL, .params = { .precision = 38, .scale = 10 } },
                 { .name = "float", .type = WEIR_FLOAT }, { .name = "double", .type = WEIR_DOUBLE },
                 { .name = "naive_date", .type = WEIR_NAIVE_DATE },
                 { .name = "naive_datetime", .type = WEIR_NAIVE_DATETIME },
                 { .name = "utc_datetime", .type = WEIR_UTC_DATETIME },
                 { .name = "binary", .type = WEIR_BINARY }, { .name = "xml", .type = WEIR_XML },
                 { .name = "string", .type = WEIR_STRING }, { .name = "json", .type = WEIR_JSON }),
};

static const weir_table pairs = {
    .name = "pairs",
    WEIR_COLUMNS({ .name = "code", .type = WEIR_STRING, .key = true },
                 { .name = "number", .type = WEIR_INT, .key = true },
                 { .name = "value", .type = WEIR_STRING }),
};

/* The same table, later. */
static const weir_table wider_pairs = {
    .name = "pairs",
    WEIR_COLUMNS({ .name = "code", .type = WEIR_STRING, .key = true },
                 { .name = "number", .type = WEIR_INT, .key = true },
                 { .name = "value", .type = WEIR_STRING }, { .name = "step", .type = WEIR_LONG },
                 { .name = "mark", .type = WEIR_LONG }),
};

/* What tells their rows apart as well as their key does, and takes its place (R-ENG-24). */
static const weir_table marked_pairs = {
    .name = "pairs",
    WEIR_COLUMNS({ .name = "code", .type = WEIR_STRING, .key = true },
                 { .name = "number", .type = WEIR_INT, .key = true },
                 { .name = "value", .type = WEIR_STRING }, { .name = "mark", .type = WEIR_LONG }),
};

static const weir_table rekeyed_pairs = {
    .name = "pairs",
    WEIR_COLUMNS({ .name = "code", .type = WEIR_STRING }, { .name = "number", .type = WEIR_INT },
                 { .name = "value", .type = WEIR_STRING }, { .name = "step", .type = WEIR_LONG },
                 { .name = "mark", .type = WEIR_LONG, .key = true }),
};

static const weir_table events = {
    .name = "events",
    WEIR_COLUMNS({ .name = "at", .type = WEIR_UTC_DATETIME }, { .name = "what", .type = WEIR_STRING }),
};

/* A well-mixed number for every (step, salt). */
static uint64_t mixed(int64_t step, uint64_t salt)
{
    uint64_t x = (uint64_t)step * UINT64_C(0x9E3779B97F4A7C15) + salt * UINT64_C(0xD1B54A32D192ED03);

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static const char *text_of(weir_call *call, int64_t step)
{
    static const char *const samples[] = {
        "plain",      "",         "with, comma",           "with \"quotes\"",
        "two\nlines", "cr\r\nlf", "tab\tand \\ backslash", "caf\xC3\xA9 \xF0\x9F\x98\x80",
        "null",       " spaces "
    };

    return weir_printf(call, "%s %" PRId64, samples[mixed(step, 1) % 10], step);
}

static weir_time time_of(int64_t step, int64_t unit)
{
    /* Between 1900 and 2100, in whole microseconds, which every destination can hold. */
    int64_t seconds = (int64_t)(mixed(step, 2) % UINT64_C(6311433600)) - INT64_C(2208988800);

    seconds -= ((seconds % unit) + unit) % unit;
    return (weir_time){ seconds, unit == 1 ? (int32_t)(mixed(step, 3) % 1000000) * 1000 : 0 };
}

static weir_status send_upsert(weir_call *call, weir_sync *out, int64_t id, int64_t step)
{
    uint64_t bits = mixed(step, 4);
    const char *decimal = weir_printf(call, "%s%" PRIu64 ".%010" PRIu64, bits & 1 ? "-" : "", bits >> 4,
                                      mixed(step, 5) % UINT64_C(10000000000));

    if (step % 7 == 0) /* a row of NULLs */
        return weir_upsert(out, &everything, WEIR_CELLS(weir_long("id", id)));
    return weir_upsert(
        out, &everything,
        WEIR_CELLS(weir_long("id", id), weir_boolean("boolean", bits & 2), weir_short("short", (int16_t)bits),
                   weir_int("int", (int32_t)bits), weir_long("long", (int64_t)bits),
                   weir_decimal("decimal", decimal), weir_float("float", (float)(int32_t)bits / 256.0f),
                   weir_double("double", (double)(int64_t)bits / 3.0),
                   weir_naive_date("naive_date", time_of(step, 86400)),
                   weir_naive_datetime("naive_datetime", time_of(step, 1)),
                   weir_utc_datetime("utc_datetime", time_of(step + 1, 1)),
                   weir_binary("binary", &bits, bits % 9), weir_xml("xml", "<a b=\"1\">text</a>"),
                   weir_string("string", text_of(call, step)),
                   weir_json("json", weir_printf(call, "{\"step\":%" PRId64 ",\"list\":[1,null]}", step))));
}

/* The step after which the key of `pairs` is another one; a checkpoint comes right after it. */
static int64_t rekeyed_at(const options *opt)
{
    int64_t at = opt->rows + opt->changes / 2;

    return opt->turns ? at - at % opt->checkpoint_every : INT64_MAX;
}

static weir_status send_pair(weir_call *call, weir_sync *out, int64_t id, int64_t step, const options *opt)
{
    weir_cell cells[] = { weir_string("code", weir_printf(call, "c%" PRId64, id % 50)),
                          weir_int("number", (int32_t)(id % 7)), weir_string("value", text_of(call, step)),
                          weir_long("mark", id % 50 * 7 + id % 7) };

    if (!opt->turns)
        return weir_upsert(out, &pairs, cells, 3);
    return weir_upsert(out, step > rekeyed_at(opt) ? &rekeyed_pairs : &marked_pairs, cells, 4);
}

static weir_status send_step(weir_call *call, weir_sync *out, int64_t step, const options *opt)
{
    int64_t rows = opt->rows;
    int64_t id = step <= rows ? step : (int64_t)(mixed(step, 6) % (uint64_t)rows) + 1;
    uint64_t choice = step <= rows ? 0 : mixed(step, 7) % 10;
    weir_status status;

    if (choice < 4)
        status = send_upsert(call, out, id, step);
    else if (choice < 8)
        status = weir_update(out, &everything,
                             WEIR_CELLS(weir_long("id", id), weir_string("string", text_of(call, step)),
                                        weir_int("int", (int32_t)step), weir_null("double")));
    else
        status = weir_delete(out, &everything, WEIR_CELLS(weir_long("id", id)));
    if (status == WEIR_OK && step % 3 == 0)
        status = send_pair(call, out, id, step, opt);
    if (status == WEIR_OK && step % 5 == 0)
        status = weir_upsert(
            out, &events,
            WEIR_CELLS(weir_utc_datetime("at", time_of(step, 1)), weir_string("what", text_of(call, step))));
    return status;
}

/* What is no row: at three quarters of the rows, and at their end. */
static weir_status send_turn(weir_call *call, weir_sync *out, int64_t step, const options *opt)
{
    weir_status status = WEIR_OK;

    if (step == opt->rows / 4 * 3)
        weir_warn(call, "three quarters of the rows");
    if (step == opt->rows) {
        status = weir_schema_change(out, &wider_pairs);
        if (status == WEIR_OK)
            status = weir_upsert(out, &wider_pairs,
                                 WEIR_CELLS(weir_string("code", "wide"), weir_int("number", 1),
                                            weir_long("step", step), weir_long("mark", -1)));
    }
    return status;
}

static weir_status update(weir_call *call, weir_sync *out)
{
    const options *opt = weir_options(call);
    int64_t last = opt->rows + opt->changes;
    struct timespec pause = { 0, (long)opt->pause_us * 1000 };
    weir_status status = WEIR_OK;

    if (opt->turns && weir_state_long(out, "next", 1) == 1)
        status = weir_truncate(out, &events);
    if (weir_state_long(out, "next", 1) > rekeyed_at(opt) && status == WEIR_OK) /* Schema tells the old key */
        status = weir_schema_change(out, &rekeyed_pairs);
    for (int64_t step = weir_state_long(out, "next", 1); status == WEIR_OK && step <= last; step++) {
        if (!weir_running(call))
            return WEIR_CANCELLED;
        if (step == opt->task_at)
            return weir_task(call, "step %" PRId64 " needs a person", step);
        status = send_step(call, out, step, opt);
        if (status == WEIR_OK && opt->turns)
            status = send_turn(call, out, step, opt);
        if (status == WEIR_OK && (step % opt->checkpoint_every == 0 || step == last)) {
            weir_state_set_long(out, "next", step + 1);
            status = weir_checkpoint(out);
            nanosleep(&pause, NULL);
            if (status == WEIR_OK && step == rekeyed_at(opt))
                status = weir_schema_change(out, &rekeyed_pairs);
        }
    }
    return status;
}

static const weir_source source = {
    .name = "everything",
    .form = WEIR_FORM(
        options, WEIR_INTEGER(options, rows, .fallback = "2000", .minimum = 1, .maximum = 100000000),
        WEIR_INTEGER(options, changes, .fallback = "2000", .minimum = 0, .maximum = 100000000),
        WEIR_INTEGER(options, checkpoint_every, .fallback = "250", .minimum = 1, .maximum = 100000000),
        WEIR_INTEGER(options, pause_us, .fallback = "0", .minimum = 0, .maximum = 999999),
        WEIR_TOGGLE(options, turns),
        WEIR_INTEGER(options, task_at, .fallback = "0", .minimum = 0, .maximum = 200000000)),
    WEIR_TABLES(&everything, &pairs, &events),
    .update = update,
};

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &source);
}
