/*
 * sdk: WriteHistoryBatch from the wire to the handler (R-HIS). The batch files are written by hand, in the
 * shapes of the platform and of the official tester.
 */
#include "support.h"

#include "peer.h"

static char seen[1 << 14];

static void note(const char *format, ...) WEIR_PRINTF(1, 2);
static void note(const char *format, ...)
{
    size_t at = strlen(seen);
    va_list args;

    va_start(args, format);
    vsnprintf(seen + at, sizeof seen - at, format, args);
    va_end(args);
}

static void note_cell(const weir_cell *cell)
{
    char text[36];

    if (cell->presence != WEIR_VALUE)
        note(" %s", cell->presence == WEIR_NULL ? "NULL" : "same");
    else if (cell->type == WEIR_LONG)
        note(" %lld", (long long)cell->as.integer);
    else if (cell->type == WEIR_BOOLEAN)
        note(" %s", cell->as.boolean ? "true" : "false");
    else if (cell->type == WEIR_UTC_DATETIME && weir_time_format(cell->type, cell->as.time, text) > 0)
        note(" %s", text);
    else
        note(" '%.*s'", (int)cell->as.bytes.size, cell->as.bytes.data);
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    (void)call, (void)schema, (void)table, (void)out;
    return WEIR_NOT_FOUND;
}

static weir_status create(weir_call *call, const weir_table *table)
{
    (void)call, (void)table;
    return WEIR_OK;
}

static weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    (void)call, (void)table, (void)changes;
    return WEIR_OK;
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    (void)call, (void)what;
    return WEIR_OK;
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    (void)table, (void)in;
    return weir_fail(call, "write is not what was asked for");
}

static weir_status write_history(weir_call *call, const weir_table *table, weir_batch *in)
{
    size_t key_count;
    const weir_column *const *keys = weir_table_keys(call, table, &key_count);
    weir_row row;
    weir_status status;

    note("%s by", table->name);
    for (size_t i = 0; i < key_count; i++)
        note(" %s", keys[i]->name);
    note("%s:", weir_batch_has(in, WEIR_EARLIEST) ? " with earliest" : "");
    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        note("\n%s", row.op == WEIR_EARLIEST  ? "earliest"
                     : row.op == WEIR_REPLACE ? "replace"
                     : row.op == WEIR_UPDATE  ? "update"
                                              : "delete");
        for (size_t i = 0; i < row.count; i++)
            note_cell(&row.cells[i]);
    }
    return status;
}

static const weir_destination destination = {
    .name = "historian",
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
    .write_history = write_history,
};

static const v2_column columns[] = {
    { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
    { .name = { "text", 4 }, .type = V2_DATA_TYPE_STRING },
    { .name = { "raw", 3 }, .type = V2_DATA_TYPE_BINARY },
    { .name = { "_fivetran_start", 15 }, .type = V2_DATA_TYPE_UTC_DATETIME, .primary_key = true },
    { .name = { "_fivetran_end", 13 }, .type = V2_DATA_TYPE_UTC_DATETIME },
    { .name = { "_fivetran_active", 16 }, .type = V2_DATA_TYPE_BOOLEAN },
};

static weir_bytes put_file(peer *p, const char *name, const char *text)
{
    const char *path = weir__arena_printf(p->arena, "%s/%s", p->folder, name);
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
    return text_of(path);
}

/* Sends the request with one file of each kind that is not NULL; returns the text of the outcome. */
static const char *send_files(peer *p, size_t column_count, const char *const files[4], weir_rpc_code *code)
{
    static const char *const names[] = { "earliest", "replace", "update", "delete" };
    static char text[8192];
    const v2_file_params params = { V2_COMPRESSION_OFF, V2_ENCRYPTION_NONE, TEXT("nul-1"), TEXT("unm-1") };
    const v2_table table = { .name = TEXT("t"), .columns = columns, .columns_count = column_count };
    v2_write_history_batch_request request = { .table = &table, .file_params = &params };
    v2_write_batch_response reply;
    weir_bytes paths[4];

    seen[0] = '\0';
    for (int i = 0; i < 4; i++)
        if (files[i] != NULL)
            paths[i] = put_file(p, names[i], files[i]);
    request.earliest_start_files = &paths[0];
    request.earliest_start_files_count = files[0] != NULL;
    request.replace_files = &paths[1];
    request.replace_files_count = files[1] != NULL;
    request.update_files = &paths[2];
    request.update_files_count = files[2] != NULL;
    request.delete_files = &paths[3];
    request.delete_files_count = files[3] != NULL;
    *code = peer_unary(p, V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH,
                       &weir__v2_write_history_batch_request, &request, &weir__v2_write_batch_response,
                       &reply, text);
    if (*code == WEIR_RPC_OK)
        assert_int_equal(reply.which_response, V2_WRITE_BATCH_RESPONSE_SUCCESS);
    for (int i = 0; i < 4; i++)
        if (files[i] != NULL)
            unlink(paths[i].data);
    return text;
}

#define T1 "2024-01-01T00:00:00.001Z"
#define T2 "2024-01-02T00:00:00Z"
#define END "9999-12-31T23:59:59.999Z"

/* The guide's order, which is not that of the field numbers; earliest files have keys and start only. */
static void kinds_come_in_the_order_of_the_guide(void **state)
{
    const char *files[] = {
        "_fivetran_start,id\n" T1 ",1\n",
        "raw,_fivetran_active,_fivetran_end,_fivetran_start,text,id\neA==,true," END "," T2 ",full,1\n",
        "id,text,_fivetran_start,_fivetran_end,_fivetran_active,raw\n1,unm-1," T1 "," T1 ",false,unm-1\n",
        "id,_fivetran_end\n2," T2 "\n",
    };
    weir_rpc_code code;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_string_equal(send_files(&p, 6, files, &code), "");
    assert_int_equal(code, WEIR_RPC_OK);
    assert_string_equal(seen, "t by id with earliest:"
                              "\nearliest 1 same same " T1 " same same"
                              "\nupdate 1 same same " T1 " " T1 " false"
                              "\nreplace 1 'full' 'x' " T2 " " END " true"
                              "\ndelete 2 same same same " T2 " same");
    peer_close(&p);
}

/* R-HIS-05: the platform sends keys and end; the official tester all columns, with NULL in what it leaves. */
static void both_shapes_of_delete_files_are_read(void **state)
{
    const char *of_platform[] = { NULL, NULL, NULL, "_fivetran_end,id\n" T2 ",7\n" };
    const char *of_tester[] = { NULL, NULL, NULL,
                                "text,raw,_fivetran_active,_fivetran_start,id,_fivetran_end\n"
                                "nul-1,nul-1,false,nul-1,7," T2 "\n" };
    weir_rpc_code code;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    send_files(&p, 6, of_platform, &code);
    assert_int_equal(code, WEIR_RPC_OK);
    assert_string_equal(seen, "t by id:\ndelete 7 same same same " T2 " same");
    send_files(&p, 6, of_tester, &code);
    assert_int_equal(code, WEIR_RPC_OK);
    assert_string_equal(seen, "t by id:\ndelete 7 same same NULL " T2 " false");
    peer_close(&p);
}

/* R-HIS-01 */
static void a_table_without_history_is_refused(void **state)
{
    const char *files[4] = { NULL, "id\n1\n", NULL, NULL };
    weir_rpc_code code;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_string_equal(
        send_files(&p, 5, files, &code),
        "cannot write history to table 't': the request has no column '_fivetran_active' for it");
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    peer_close(&p);
}

static void an_earliest_file_needs_its_start(void **state)
{
    const char *files[4] = { "id\n1\n", NULL, NULL, NULL };
    weir_rpc_code code;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_string_equal(send_files(&p, 6, files, &code),
                        "read batch file 'earliest': the key of table 't' is not in it: '_fivetran_start'");
    peer_close(&p);
}

/* A program built before history was offered has a shorter definition; what lies behind it is not read. */
static void an_older_definition_has_no_history(void **state)
{
    const char *files[4] = { NULL };
    weir_rpc_code code;
    weir_error err;
    peer p;

    (void)state;
    peer_prepare(&p);
    assert_int_equal(weir__host_open_destination(&destination, offsetof(weir_destination, write_history),
                                                 &p.options, &p.host, &err),
                     WEIR_OK);
    peer_connect(&p);
    assert_string_equal(
        send_files(&p, 6, files, &code),
        "the destination 'historian' does not support history mode; choose soft delete for this table");
    assert_int_equal(code, WEIR_RPC_UNIMPLEMENTED);
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_come_in_the_order_of_the_guide),
        cmocka_unit_test(both_shapes_of_delete_files_are_read),
        cmocka_unit_test(a_table_without_history_is_refused),
        cmocka_unit_test(an_earliest_file_needs_its_start),
        cmocka_unit_test(an_older_definition_has_no_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
