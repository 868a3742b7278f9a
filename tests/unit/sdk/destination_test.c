/*
 * sdk: a whole destination in this process, asked by the gRPC client over a Unix socket; batch files are real
 * ones.
 */
#include "support.h"

#include "batch/writer.h"
#include "peer.h"
#include "sdk/load.h"
#include "sys/file.h"

typedef struct test_options {
    const char *password;
    const char *outcome;
} test_options;

/* What the handlers were asked, as text; one test at a time. */
static char seen[1 << 16];

static void note(const char *format, ...) WEIR_PRINTF(1, 2);
static void note(const char *format, ...)
{
    size_t at = strlen(seen);
    va_list args;

    va_start(args, format);
    vsnprintf(seen + at, sizeof seen - at, format, args);
    va_end(args);
}

static weir_status outcome(weir_call *call)
{
    const test_options *opt = weir_options(call);

    if (strcmp(opt->outcome, "warn") == 0) {
        weir_warn(call, "first");
        weir_warn(call, "second with %s", opt->password);
    } else if (strcmp(opt->outcome, "task") == 0) {
        weir_warn(call, "loses against the task");
        return weir_task(call, "Grant access to %s.", opt->password);
    } else if (strcmp(opt->outcome, "fail") == 0) {
        return weir_fail(call, "login with %s refused", opt->password);
    } else if (strcmp(opt->outcome, "not found") == 0) {
        return WEIR_NOT_FOUND;
    } else if (strcmp(opt->outcome, "cancelled") == 0) {
        return WEIR_CANCELLED;
    }
    return WEIR_OK;
}

static const weir_column stored_columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                              { .name = "old", .type = WEIR_STRING } };

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    note("describe %s.%s;", schema, table);
    if (strcmp(table, "missing") == 0)
        return WEIR_NOT_FOUND;
    *out = (weir_table){ .columns = stored_columns, .column_count = 2 };
    return outcome(call);
}

static weir_status create(weir_call *call, const weir_table *table)
{
    note("create %s.%s/%zu;", table->schema ? table->schema : "-", table->name, table->column_count);
    return outcome(call);
}

static weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    note("alter %s", table->name);
    for (size_t i = 0; i < changes->count; i++)
        note(" %d:%s", (int)changes->items[i].kind,
             changes->items[i].column ? changes->items[i].column->name
             : changes->items[i].old  ? changes->items[i].old->name
                                      : "key");
    note(";");
    return outcome(call);
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    note("truncate %s.%s %s<%lld.%09d %s;", what->schema, what->table, what->synced_column,
         (long long)what->before.seconds, (int)what->before.nanos,
         what->deleted_column ? what->deleted_column : "hard");
    return outcome(call);
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    weir_row row;
    weir_status status;

    note("write %s%s%s%s:", table->name, weir_batch_has(in, WEIR_REPLACE) ? " r" : "",
         weir_batch_has(in, WEIR_UPDATE) ? " u" : "", weir_batch_has(in, WEIR_DELETE) ? " d" : "");
    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        assert_int_equal(row.count, table->column_count);
        note(" %c", "ruD"[row.op]);
        for (size_t i = 0; i < row.count; i++) {
            const weir_cell *cell = &row.cells[i];

            assert_string_equal(cell->column, table->columns[i].name);
            if (cell->presence != WEIR_VALUE)
                note(",%s", cell->presence == WEIR_NULL ? "NULL" : "same");
            else if (cell->type == WEIR_LONG)
                note(",%lld", (long long)cell->as.integer);
            else
                note(",%.*s", (int)cell->as.bytes.size, cell->as.bytes.data);
        }
    }
    note(";");
    if (status != WEIR_OK) {
        assert_int_equal(weir_batch_next(in, &row), status); /* sticky */
        return status;
    }
    return outcome(call);
}

static weir_destination destination = {
    .name = "test",
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
};

static v2_string_entry settings[2] = { { { "password", 8 }, { "geheim", 6 } },
                                       { { "outcome", 7 }, { NULL, 0 } } };

static const v2_string_entry *with_outcome(const char *text)
{
    settings[1].value = text_of(text);
    seen[0] = '\0';
    return settings;
}

static const v2_column wanted_columns[] = {
    { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
    { .name = { "text", 4 }, .type = V2_DATA_TYPE_STRING }
};
static const v2_table wanted = { .name = { "t", 1 }, .columns = wanted_columns, .columns_count = 2 };

/* --- the plain replies --- */

typedef enum plain_call {
    CREATE,
    ALTER,
    TRUNCATE,
    WRITE
} plain_call;

/*
 * One of the four requests that answer success, warning or task; the reply as text: "success", "W …", "T …".
 */
static const char *ask(peer *p, plain_call kind, const char *wish, weir_rpc_code *code)
{
    static char answer[8300];
    const weir_time before = { -62135596800, 1 };
    const v2_file_params params = { 0 };
    v2_create_table_request create_request = { with_outcome(wish), 2, TEXT("s"), &wanted };
    v2_alter_table_request alter_request = { settings, 2, TEXT("s"), &wanted, false };
    v2_truncate_request truncate_request = { settings, 2,   TEXT("s"), TEXT("t"), TEXT("_fivetran_synced"),
                                             &before,  NULL };
    v2_write_batch_request write_request = { .configuration = settings,
                                             .configuration_count = 2,
                                             .schema_name = TEXT("s"),
                                             .table = &wanted,
                                             .file_params = &params };
    const struct {
        const char *path;
        const weir_codec_message *type;
        const void *request;
        const weir_codec_message *reply;
    } calls[] = {
        { V2_DESTINATION_CONNECTOR_CREATE_TABLE_PATH, &weir__v2_create_table_request, &create_request,
          &weir__v2_create_table_response },
        { V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, &weir__v2_alter_table_request, &alter_request,
          &weir__v2_alter_table_response },
        { V2_DESTINATION_CONNECTOR_TRUNCATE_PATH, &weir__v2_truncate_request, &truncate_request,
          &weir__v2_truncate_response },
        { V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, &weir__v2_write_batch_request, &write_request,
          &weir__v2_write_batch_response },
    };
    v2_create_table_response reply = { 0 }; /* the four have one shape on the wire */
    char text[8192];

    *code = peer_unary(p, calls[kind].path, calls[kind].type, calls[kind].request, calls[kind].reply, &reply,
                       text);
    if (*code != WEIR_RPC_OK)
        snprintf(answer, sizeof answer, "%s", text);
    else if (reply.which_response == V2_CREATE_TABLE_RESPONSE_SUCCESS)
        snprintf(answer, sizeof answer, reply.response.success ? "success" : "success = false");
    else if (reply.which_response == V2_CREATE_TABLE_RESPONSE_WARNING)
        snprintf(answer, sizeof answer, "W %.*s", (int)reply.response.warning->message.size,
                 reply.response.warning->message.data);
    else if (reply.which_response == V2_CREATE_TABLE_RESPONSE_TASK)
        snprintf(answer, sizeof answer, "T %.*s", (int)reply.response.task->message.size,
                 reply.response.task->message.data);
    else
        snprintf(answer, sizeof answer, "nothing set");
    return answer;
}

/* R-RPC-07: exactly one member; a task wins over warnings; warnings are joined. */
static void every_outcome_has_its_reply(void **state)
{
    weir_rpc_code code;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    for (plain_call kind = CREATE; kind <= WRITE; kind++) {
        assert_string_equal(ask(&p, kind, "ok", &code), "success");
        assert_string_equal(ask(&p, kind, "task", &code), "T Grant access to ***.");
        assert_string_equal(ask(&p, kind, "fail", &code), "login with *** refused");
        assert_int_equal(code, WEIR_RPC_INTERNAL);
        ask(&p, kind, "cancelled", &code);
        assert_int_equal(code, WEIR_RPC_CANCELLED);
        if (kind == ALTER) /* describe is asked first */
            continue;
        assert_string_equal(ask(&p, kind, "warn", &code), "W first\nsecond with ***");
    }
    assert_string_equal(ask(&p, TRUNCATE, "not found", &code), "success"); /* R-DST-04 */
    assert_string_equal(
        ask(&p, CREATE, "not found", &code),
        "a mistake in the connector: 'create' returned the status -4, which means nothing there");
    settings[0].value = TEXT("");
    assert_string_equal(ask(&p, WRITE, "ok", &code), "T 'Password' (password) is missing. Fill it in.");
    assert_string_equal(seen, "");
    settings[0].value = TEXT("geheim");
    peer_close(&p);
}

static void handlers_see_what_was_asked(void **state)
{
    const weir_time zero = { 0, 0 };
    const v2_soft_truncate soft = { TEXT("_fivetran_deleted") };
    v2_truncate_request request = { settings, 2, { 0 }, TEXT("t"), TEXT("_fivetran_synced"), &zero, &soft };
    v2_truncate_response reply;
    weir_rpc_code code;
    char text[8192];
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    ask(&p, CREATE, "ok", &code);
    assert_string_equal(seen, "create s.t/2;");
    ask(&p, TRUNCATE, "ok", &code); /* R-DST-04: before 1970, full precision */
    assert_string_equal(seen, "truncate s.t _fivetran_synced<-62135596800.000000001 hard;");
    with_outcome("ok");
    assert_int_equal(peer_unary(&p, V2_DESTINATION_CONNECTOR_TRUNCATE_PATH, &weir__v2_truncate_request,
                                &request, &weir__v2_truncate_response, &reply, text),
                     WEIR_RPC_OK);
    assert_string_equal(seen, "truncate .t _fivetran_synced<0.000000000 _fivetran_deleted;");
    request.utc_delete_before = NULL;
    assert_int_equal(peer_unary(&p, V2_DESTINATION_CONNECTOR_TRUNCATE_PATH, &weir__v2_truncate_request,
                                &request, &weir__v2_truncate_response, &reply, text),
                     WEIR_RPC_INTERNAL);
    assert_non_null(strstr(text, "up to when"));
    peer_close(&p);
}

/* R-DST-03 */
static void alter_is_called_with_what_differs(void **state)
{
    static const v2_column same[] = {
        { .name = { "old", 3 }, .type = V2_DATA_TYPE_STRING },
        { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true }
    };
    const v2_table reordered = { .name = { "t", 1 }, .columns = same, .columns_count = 2 };
    const v2_table missing = { .name = { "missing", 7 }, .columns = same, .columns_count = 2 };
    v2_alter_table_request request = { settings, 2, { 0 }, &reordered, true };
    v2_alter_table_response reply;
    weir_rpc_code code;
    char text[8192];
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_string_equal(ask(&p, ALTER, "ok", &code), "success");
    assert_string_equal(seen, "describe s.t;alter t 1:text 4:old;"); /* text is added, old is kept */
    with_outcome("ok");
    code = peer_unary(&p, V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, &weir__v2_alter_table_request, &request,
                      &weir__v2_alter_table_response, &reply, text);
    assert_int_equal(code, WEIR_RPC_OK);
    assert_true(reply.response.success);
    assert_string_equal(seen, "describe .t;"); /* another order is no change */
    request.table = &wanted;
    with_outcome("ok");
    code = peer_unary(&p, V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, &weir__v2_alter_table_request, &request,
                      &weir__v2_alter_table_response, &reply, text);
    assert_string_equal(seen, "describe .t;alter t 1:text 3:old;"); /* drop_columns */
    request.table = &missing;
    code = peer_unary(&p, V2_DESTINATION_CONNECTOR_ALTER_TABLE_PATH, &weir__v2_alter_table_request, &request,
                      &weir__v2_alter_table_response, &reply, text);
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    assert_string_equal(text, "cannot alter table 'missing': it does not exist");
    peer_close(&p);
}

static weir_rpc_code ask_describe(peer *p, const char *table, const char *wish,
                                  v2_describe_table_response *reply)
{
    v2_describe_table_request request = { with_outcome(wish), 2, TEXT("s"), text_of(table) };
    char text[8192];

    return peer_unary(p, V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH, &weir__v2_describe_table_request,
                      &request, &weir__v2_describe_table_response, reply, text);
}

/* R-DST-01: a missing table is not_found, never an error. */
static void describe_answers_table_not_found_or_task(void **state)
{
    v2_describe_table_response reply;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_int_equal(ask_describe(&p, "t", "warn", &reply), WEIR_RPC_OK);
    assert_int_equal(reply.which_response, V2_DESCRIBE_TABLE_RESPONSE_TABLE);
    assert_true(bytes_are(reply.response.table->name, "t"));
    assert_true(reply.response.table->columns[0].primary_key);
    assert_true(bytes_are(reply.response.table->columns[1].name, "old"));
    assert_int_equal(ask_describe(&p, "missing", "ok", &reply), WEIR_RPC_OK);
    assert_int_equal(reply.which_response, V2_DESCRIBE_TABLE_RESPONSE_NOT_FOUND);
    assert_true(reply.response.not_found);
    assert_int_equal(ask_describe(&p, "t", "task", &reply), WEIR_RPC_OK);
    assert_int_equal(reply.which_response, V2_DESCRIBE_TABLE_RESPONSE_TASK);
    assert_int_equal(ask_describe(&p, "t", "fail", &reply), WEIR_RPC_INTERNAL);
    assert_int_equal(ask_describe(&p, "", "ok", &reply), WEIR_RPC_INTERNAL);
    peer_close(&p);
}

static void what_is_not_offered_is_said(void **state)
{
    v2_capabilities_request capabilities = { 0 };
    v2_capabilities_response capability = { .batch_file_format = 9 };
    v2_migrate_request migrate = { 0 };
    v2_migrate_response migrated;
    v2_write_history_batch_request history = { 0 };
    v2_write_batch_response reply;
    char text[8192];
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_int_equal(peer_unary(&p, V2_DESTINATION_CONNECTOR_CAPABILITIES_PATH,
                                &weir__v2_capabilities_request, &capabilities,
                                &weir__v2_capabilities_response, &capability, text),
                     WEIR_RPC_OK);
    assert_int_equal(capability.batch_file_format, V2_BATCH_FILE_FORMAT_CSV);
    assert_int_equal(peer_unary(&p, V2_DESTINATION_CONNECTOR_MIGRATE_PATH, &weir__v2_migrate_request,
                                &migrate, &weir__v2_migrate_response, &migrated, text),
                     WEIR_RPC_OK);
    assert_int_equal(migrated.which_response, V2_MIGRATE_RESPONSE_UNSUPPORTED); /* R-MIG-06 */
    assert_true(migrated.response.unsupported);
    assert_int_equal(peer_unary(&p, V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH,
                                &weir__v2_write_history_batch_request, &history,
                                &weir__v2_write_batch_response, &reply, text),
                     WEIR_RPC_UNIMPLEMENTED);
    peer_close(&p);
}

/* --- batch files --- */

static const unsigned char key_of_file[2][WEIR_BATCH_KEY_SIZE] = { { 1, 2, 3 }, { 4, 5, 6 } };
static const unsigned char iv_of_file[WEIR_BATCH_IV_SIZE] = { 7 };
static const weir_file_params packed = {
    WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES, { "nul-1", 5 }, { "unm-1", 5 }
};
static const v2_file_params packed_on_wire = {
    V2_COMPRESSION_ZSTD, V2_ENCRYPTION_AES, { "nul-1", 5 }, { "unm-1", 5 }
};

/* Writes rows of the table id, text; returns the path, in the peer's arena. */
static weir_bytes write_file(peer *p, const char *name, const unsigned char *key, const weir_cell *cells,
                             size_t rows)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "text", .type = WEIR_STRING } };
    const weir_table table = { .name = "t", .columns = columns, .column_count = 2 };
    const char *path = weir__arena_printf(p->arena, "%s/%s", p->folder, name);
    weir_writer *writer = weir__writer_new();
    weir_writer_file file = { .table = &table, .params = &packed, .key = key, .iv = iv_of_file };
    weir_file *out = NULL;

    assert_int_equal(weir__file_create(path, &out, NULL), WEIR_OK);
    file.output = weir__file_output(out);
    assert_int_equal(weir__writer_begin(writer, &file, NULL), WEIR_OK);
    for (size_t i = 0; i < rows; i++)
        assert_int_equal(weir__writer_row(writer, cells + 2 * i, NULL), WEIR_OK);
    assert_int_equal(weir__writer_finish(writer, NULL, NULL), WEIR_OK);
    weir__writer_free(writer);
    weir__file_close(out);
    return text_of(path);
}

static weir_cell same(const char *column)
{
    weir_cell cell = weir_null(column);

    cell.presence = WEIR_UNMODIFIED;
    return cell;
}

static const char *write_batch(peer *p, v2_write_batch_request *request, weir_rpc_code *code)
{
    static char text[8192];
    v2_write_batch_response reply;

    request->configuration = with_outcome("ok");
    request->configuration_count = 2;
    request->table = &wanted;
    request->file_params = &packed_on_wire;
    *code = peer_unary(p, V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, &weir__v2_write_batch_request, request,
                       &weir__v2_write_batch_response, &reply, text);
    if (*code == WEIR_RPC_OK)
        assert_int_equal(reply.which_response, V2_WRITE_BATCH_RESPONSE_SUCCESS);
    return text;
}

/* R-DST-05: replace, update, delete, whatever the order of the lists; several files each (R-BAT-03). */
static void files_are_applied_in_order(void **state)
{
    weir_bytes paths[4];
    v2_bytes_entry keys[4];
    v2_write_batch_request request = { 0 };
    weir_rpc_code code;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    paths[0] = write_file(&p, "d", key_of_file[1],
                          (weir_cell[]){ weir_long("id", 3), weir_string("text", "ignored") }, 1);
    paths[1] = write_file(&p, "r1", key_of_file[0],
                          (weir_cell[]){ weir_long("id", 1), weir_string("text", "a,\"b\"\n"),
                                         weir_long("id", 2), weir_null("text") },
                          2);
    paths[2] = write_file(&p, "u", key_of_file[0], (weir_cell[]){ weir_long("id", 1), same("text") }, 1);
    paths[3] = write_file(&p, "r2", key_of_file[1],
                          (weir_cell[]){ weir_long("id", 1), weir_string("text", "") }, 1);
    for (int i = 0; i < 4; i++)
        keys[i] = (v2_bytes_entry){ paths[i],
                                    { (const char *)key_of_file[i == 0 || i == 3], WEIR_BATCH_KEY_SIZE } };
    request.keys = keys;
    request.keys_count = 4;
    request.replace_files = (weir_bytes[]){ paths[1], paths[3] };
    request.replace_files_count = 2;
    request.update_files = &paths[2];
    request.update_files_count = 1;
    request.delete_files = &paths[0];
    request.delete_files_count = 1;
    write_batch(&p, &request, &code);
    assert_int_equal(code, WEIR_RPC_OK);
    assert_string_equal(seen, "write t r u d: r,1,a,\"b\"\n r,2,NULL r,1, u,1,same D,3,same;");
    for (int i = 0; i < 4; i++)
        unlink(paths[i].data);
    peer_close(&p);
}

static weir_status write_one_row(weir_call *call, const weir_table *table, weir_batch *in)
{
    weir_row row;

    (void)call;
    (void)table;
    return weir_batch_next(in, &row) == WEIR_ITEM ? WEIR_OK : WEIR_FAILED;
}

/* R-ENG-15: a handler that leaves rows unread must not pass for one that wrote them. */
static void rows_that_nobody_read_are_no_success(void **state)
{
    weir_destination hasty = destination;
    v2_write_batch_request request = { .update_files_count = 1, .keys_count = 1 };
    v2_bytes_entry key;
    weir_rpc_code code;
    weir_bytes path;
    peer p;

    (void)state;
    hasty.write = write_one_row;
    peer_destination(&p, &hasty);
    path = write_file(&p, "rows", key_of_file[0],
                      (weir_cell[]){ weir_long("id", 1), weir_string("text", "x") }, 1);
    key = (v2_bytes_entry){ path, { (const char *)key_of_file[0], WEIR_BATCH_KEY_SIZE } };
    request.keys = &key;
    request.update_files = &path;
    assert_non_null(strstr(write_batch(&p, &request, &code), "before weir_batch_next did"));
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    unlink(path.data);
    peer_close(&p);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    weir_bytes good;
    v2_bytes_entry key;
    v2_write_batch_request request = { .update_files_count = 1, .keys_count = 1 };
    weir_rpc_code code;
    const char *link;
    const char *absent;
    weir_bytes path;
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    good = write_file(&p, "good", key_of_file[0],
                      (weir_cell[]){ weir_long("id", 1), weir_string("text", "x") }, 1);
    link = weir__arena_printf(p.arena, "%s/link", p.folder);
    absent = weir__arena_printf(p.arena, "%s/absent", p.folder);
    assert_int_equal(symlink(good.data, link), 0);
    request.keys = &key;
    request.update_files = &path;

    path = text_of(absent);
    key = (v2_bytes_entry){ path, { (const char *)key_of_file[0], WEIR_BATCH_KEY_SIZE } };
    assert_string_equal(write_batch(&p, &request, &code), "batch file 'absent' is not there");
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    path = text_of(link); /* what it leads to would be readable */
    key.key = path;
    assert_non_null(strstr(write_batch(&p, &request, &code), "link"));
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    path = text_of(p.folder);
    key.key = path;
    write_batch(&p, &request, &code);
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    path = good; /* R-BAT-02: the key of another path, then another key (R-BAT-10) */
    key.key = text_of(link);
    assert_non_null(strstr(write_batch(&p, &request, &code), "good"));
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    key = (v2_bytes_entry){ path, { (const char *)key_of_file[1], WEIR_BATCH_KEY_SIZE } };
    assert_non_null(strstr(write_batch(&p, &request, &code), "good"));
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    path = TEXT("");
    key.key = path;
    assert_non_null(strstr(write_batch(&p, &request, &code), "path is empty"));
    assert_int_equal(code, WEIR_RPC_INTERNAL);
    unlink(link);
    unlink(good.data);
    peer_close(&p);
}

/* One request's files, read without a server around. */
typedef struct reading {
    weir_call call;
    v2_write_batch_request request;
} reading;

static weir_status read_all(void *context)
{
    static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                           { .name = "text", .type = WEIR_STRING } };
    const weir_table table = { .name = "t", .columns = columns, .column_count = 2 };
    reading *r = context;
    weir_batch batch;
    weir_row row;
    weir_load_request files = weir__load_of_batch(&r->request);
    weir_status status;
    size_t rows = 0;

    if (!weir__call_init(&r->call, NULL))
        return WEIR_FAILED;
    status = weir__load_init(&batch, &r->call, &table, &files);
    if (status == WEIR_OK)
        while ((status = weir_batch_next(&batch, &row)) == WEIR_ITEM)
            rows++;
    if (status == WEIR_OK)
        assert_int_equal(rows, 4);
    else
        assert_true(r->call.text_size > 0);
    weir__load_clear(&batch);
    weir__call_clear(&r->call);
    return status;
}

static void reading_survives_every_failed_allocation(void **state)
{
    reading *r = calloc(1, sizeof *r);
    v2_bytes_entry key;
    weir_bytes paths[2];
    peer p;

    (void)state;
    peer_prepare(&p);
    paths[0] = write_file(
        &p, "f", key_of_file[0],
        (weir_cell[]){ weir_long("id", 1), weir_string("text", "x"), weir_long("id", 2), weir_null("text") },
        2);
    paths[1] = paths[0];
    key = (v2_bytes_entry){ paths[0], { (const char *)key_of_file[0], WEIR_BATCH_KEY_SIZE } };
    r->request.keys = &key;
    r->request.keys_count = 1;
    r->request.replace_files = paths;
    r->request.replace_files_count = 2;
    r->request.file_params = &packed_on_wire;
    WEIR_EVERY_FAILURE(read_all, r);
    unlink(paths[0].data);
    peer_close(&p);
    free(r);
}

static void a_definition_that_cannot_work_is_refused(void **state)
{
    weir_destination bad[] = { destination, destination, destination, destination, destination, destination };
    const char *texts[] = { "has no .describe", "has no .create", "has no .alter",
                            "has no .truncate", "has no .write",  "has no .name" };
    weir_host_options none = { .port = -1 };
    weir_host *host = NULL;
    weir_error err;

    (void)state;
    bad[0].describe = NULL;
    bad[1].create = NULL;
    bad[2].alter = NULL;
    bad[3].truncate = NULL;
    bad[4].write = NULL;
    bad[5].name = "";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(weir__host_open_destination(&bad[i], sizeof bad[i], &none, &host, &err),
                         WEIR_FAILED);
        assert_non_null(strstr(err.text, texts[i]));
        assert_null(host);
    }
}

int main(void)
{
    const weir_form form = WEIR_FORM(
        test_options, WEIR_PASSWORD(test_options, password, .label = "Password", .required = true),
        WEIR_TEXT(test_options, outcome, .fallback = "ok"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_reply),
        cmocka_unit_test(handlers_see_what_was_asked),
        cmocka_unit_test(alter_is_called_with_what_differs),
        cmocka_unit_test(describe_answers_table_not_found_or_task),
        cmocka_unit_test(what_is_not_offered_is_said),
        cmocka_unit_test(files_are_applied_in_order),
        cmocka_unit_test(rows_that_nobody_read_are_no_success),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(reading_survives_every_failed_allocation),
        cmocka_unit_test(a_definition_that_cannot_work_is_refused),
    };

    destination.form = form;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
