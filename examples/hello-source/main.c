/* A whole source: a form, a table, rows, and a state to resume from. */
#include <weir/weir.h>

struct options {
    const char *api_key;
    int64_t rows;
};

static const weir_table greetings = {
    .name = "greetings",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "text", .type = WEIR_STRING }),
};

static weir_status update(weir_call *call, weir_sync *out)
{
    const struct options *opt = weir_options(call);
    int64_t next = weir_state_long(out, "next_id", 1);

    while (next <= opt->rows && weir_running(call)) {
        weir_upsert(out, &greetings, WEIR_CELLS(weir_long("id", next), weir_string("text", "hello")));
        weir_state_set_long(out, "next_id", ++next);
    }
    return weir_checkpoint(out); /* rows first, then the state that follows them */
}

static const weir_source source = {
    .name = "hello",
    .form = WEIR_FORM(struct options,
                      WEIR_PASSWORD(struct options, api_key, .label = "API key", .required = true),
                      WEIR_INTEGER(struct options, rows, .label = "Rows to send", .fallback = "3")),
    WEIR_TABLES(&greetings),
    .update = update,
};

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &source);
}
