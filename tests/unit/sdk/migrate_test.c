/* sdk: Migrate from the wire to the handler and back (R-MIG). */
#include "support.h"

#include "peer.h"
#include "sdk/migrate.h"

static char seen[1 << 12];
static weir_status wish; /* what the handler returns */

static const char *or_none(const char *text)
{
    return text != NULL ? text : "none";
}

static void note_column(const weir_migration_column *column)
{
    size_t at = strlen(seen);

    at += (size_t)snprintf(seen + at, sizeof seen - at, " %s %s", column->name, weir_type_name(column->type));
    if (column->value.data == NULL)
        at += (size_t)snprintf(seen + at, sizeof seen - at, " NULL");
    else
        at += (size_t)snprintf(seen + at, sizeof seen - at, " '%s'/%zu", column->value.data,
                               column->value.size);
    snprintf(seen + at, sizeof seen - at, " at %lld.%09d", (long long)column->time.seconds,
             (int)column->time.nanos);
}

static weir_status migrate(weir_call *call, const weir_migration *what)
{
    size_t at = (size_t)snprintf(seen, sizeof seen, "%d %s.%s", (int)what->kind, what->schema, what->table);

    switch (what->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
        break;
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
    case WEIR_MIGRATE_RENAME_TABLE:
    case WEIR_MIGRATE_RENAME_COLUMN:
        snprintf(seen + at, sizeof seen - at, " %s to %s, %s", what->as.names.from, what->as.names.to,
                 or_none(what->as.names.deleted_column));
        break;
    case WEIR_MIGRATE_DROP_COLUMN_HISTORY:
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
    case WEIR_MIGRATE_UPDATE_COLUMN:
        note_column(&what->as.column);
        break;
    case WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY:
    case WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE:
        snprintf(seen + at, sizeof seen - at, " %s %s", or_none(what->as.mode.deleted_column),
                 what->as.mode.keep_deleted_rows ? "keep" : "-");
        break;
    }
    if (wish == WEIR_ITEM) {
        weir_warn(call, "slow");
        return WEIR_OK;
    }
    if (wish == WEIR_TASK)
        return weir_task(call, "Grant it.");
    return wish == WEIR_FAILED ? weir_fail(call, "broken") : wish;
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
    (void)call, (void)table, (void)in;
    return WEIR_OK;
}

static const weir_destination destination = {
    .name = "mover",
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
    .migrate = migrate,
};

/* The reply as text: "success", "unsupported", "W …", "T …", or the gRPC error's. */
static const char *ask(peer *p, const v2_migration_details *details, weir_status outcome)
{
    static char answer[8400];
    v2_migrate_request request = { .details = details };
    v2_migrate_response reply = { 0 };
    char text[8192];

    seen[0] = '\0';
    wish = outcome;
    if (peer_unary(p, V2_DESTINATION_CONNECTOR_MIGRATE_PATH, &weir__v2_migrate_request, &request,
                   &weir__v2_migrate_response, &reply, text) != WEIR_RPC_OK) {
        snprintf(answer, sizeof answer, "%s", text);
        return answer;
    }
    switch (reply.which_response) {
    case V2_MIGRATE_RESPONSE_SUCCESS:
        return reply.response.success ? "success" : "success = false";
    case V2_MIGRATE_RESPONSE_UNSUPPORTED:
        return reply.response.unsupported ? "unsupported" : "unsupported = false";
    case V2_MIGRATE_RESPONSE_WARNING:
        snprintf(answer, sizeof answer, "W %.*s", (int)reply.response.warning->message.size,
                 reply.response.warning->message.data);
        return answer;
    case V2_MIGRATE_RESPONSE_TASK:
        snprintf(answer, sizeof answer, "T %.*s", (int)reply.response.task->message.size,
                 reply.response.task->message.data);
        return answer;
    case V2_MIGRATE_RESPONSE_RESPONSE_NOT_SET:
        break;
    }
    return "nothing set";
}

#define DETAILS(member, which, ...)                                                               \
    {                                                                                             \
        .schema = TEXT("s"), .table = TEXT("t"), .which_operation = V2_MIGRATION_DETAILS_##which, \
        .operation.member = &(const v2_##member##_operation)                                      \
        {                                                                                         \
            __VA_ARGS__                                                                           \
        }                                                                                         \
    }

/* R-MIG-01: every operation arrives, whole. */
static void every_operation_arrives(void **state)
{
    const v2_drop_column_in_history_mode drop_column = { TEXT("c"), TEXT("2005-05-28T20:57:00.000000001Z") };
    const v2_copy_table copy_table = { TEXT("a"), TEXT("b") };
    const v2_copy_column copy_column = { TEXT("x"), TEXT("y") };
    const v2_copy_table_to_history_mode to_history = { TEXT("a"), TEXT("b"), TEXT("gone") };
    const v2_copy_table_to_history_mode to_history_bare = { TEXT("a"), TEXT("b"), { 0 } };
    const v2_rename_table rename_table = { TEXT("a"), TEXT("b") };
    const v2_rename_column rename_column = { TEXT("x"), TEXT("y") };
    const v2_add_column_in_history_mode add_history = { TEXT("c"), V2_DATA_TYPE_INT, TEXT("7"),
                                                        TEXT("2005-05-28T20:57:00Z") };
    const v2_add_column_with_default_value add_default = { TEXT("c"), V2_DATA_TYPE_STRING, TEXT("") };
    const struct {
        v2_migration_details details;
        const char *seen;
    } cases[] = {
        { DETAILS(drop, DROP, V2_DROP_OPERATION_DROP_TABLE, { .drop_table = true }), "1 s.t" },
        { DETAILS(drop, DROP, V2_DROP_OPERATION_DROP_COLUMN_IN_HISTORY_MODE,
                  { .drop_column_in_history_mode = &drop_column }),
          "2 s.t c UNSPECIFIED NULL at 1117313820.000000001" },
        { DETAILS(copy, COPY, V2_COPY_OPERATION_COPY_TABLE, { .copy_table = &copy_table }),
          "3 s.t a to b, none" },
        { DETAILS(copy, COPY, V2_COPY_OPERATION_COPY_COLUMN, { .copy_column = &copy_column }),
          "4 s.t x to y, none" },
        { DETAILS(copy, COPY, V2_COPY_OPERATION_COPY_TABLE_TO_HISTORY_MODE,
                  { .copy_table_to_history_mode = &to_history }),
          "5 s.t a to b, gone" },
        { DETAILS(copy, COPY, V2_COPY_OPERATION_COPY_TABLE_TO_HISTORY_MODE,
                  { .copy_table_to_history_mode = &to_history_bare }),
          "5 s.t a to b, none" },
        { DETAILS(rename, RENAME, V2_RENAME_OPERATION_RENAME_TABLE, { .rename_table = &rename_table }),
          "6 s.t a to b, none" },
        { DETAILS(rename, RENAME, V2_RENAME_OPERATION_RENAME_COLUMN, { .rename_column = &rename_column }),
          "7 s.t x to y, none" },
        { DETAILS(add, ADD, V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE,
                  { .add_column_in_history_mode = &add_history }),
          "8 s.t c INT '7'/1 at 1117313820.000000000" },
        { DETAILS(add, ADD, V2_ADD_OPERATION_ADD_COLUMN_WITH_DEFAULT_VALUE,
                  { .add_column_with_default_value = &add_default }),
          "9 s.t c STRING ''/0 at 0.000000000" },
        { DETAILS(update_column_value, UPDATE_COLUMN_VALUE, TEXT("c"), TEXT("new")),
          "10 s.t c UNSPECIFIED 'new'/3 at 0.000000000" },
        /* R-MIG-03 */
        { DETAILS(update_column_value, UPDATE_COLUMN_VALUE, TEXT("c"), TEXT("NULL")),
          "10 s.t c UNSPECIFIED NULL at 0.000000000" },
        /* R-MIG-05: the column of deleted rows may have any name, and may be missing. */
        { DETAILS(table_sync_mode_migration, TABLE_SYNC_MODE_MIGRATION,
                  V2_TABLE_SYNC_MODE_MIGRATION_TYPE_SOFT_DELETE_TO_HISTORY, true, TEXT("weg"), false, false),
          "11 s.t weg -" },
        { DETAILS(table_sync_mode_migration, TABLE_SYNC_MODE_MIGRATION,
                  V2_TABLE_SYNC_MODE_MIGRATION_TYPE_HISTORY_TO_SOFT_DELETE, false, { 0 }, true, true),
          "12 s.t none keep" },
    };
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(ask(&p, &cases[i].details, WEIR_OK), "success");
        assert_string_equal(seen, cases[i].seen);
    }
    peer_close(&p);
}

/* R-MIG-05: live mode is no matter of the handler; the number 0, and no type at all, mean live mode. */
static void live_mode_is_unsupported(void **state)
{
    static const int32_t live[] = { V2_TABLE_SYNC_MODE_MIGRATION_TYPE_SOFT_DELETE_TO_LIVE,
                                    V2_TABLE_SYNC_MODE_MIGRATION_TYPE_HISTORY_TO_LIVE,
                                    V2_TABLE_SYNC_MODE_MIGRATION_TYPE_LIVE_TO_SOFT_DELETE,
                                    V2_TABLE_SYNC_MODE_MIGRATION_TYPE_LIVE_TO_HISTORY,
                                    6,
                                    -1 };
    const v2_migration_details nothing = { .schema = TEXT("s"), .table = TEXT("t") };
    const v2_migration_details empty_drop = DETAILS(drop, DROP, 0);
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
        const v2_migration_details details = DETAILS(table_sync_mode_migration, TABLE_SYNC_MODE_MIGRATION,
                                                     live[i], false, { 0 }, false, false);

        assert_string_equal(ask(&p, &details, WEIR_OK), "unsupported");
        assert_string_equal(seen, "");
    }
    /* What a later version of the protocol adds is not known here. */
    assert_string_equal(ask(&p, &nothing, WEIR_OK), "unsupported");
    assert_string_equal(ask(&p, &empty_drop, WEIR_OK), "unsupported");
    assert_string_equal(seen, "");
    peer_close(&p);
}

/* R-RPC-07, R-MIG-06 */
static void every_outcome_has_its_reply(void **state)
{
    const v2_migration_details drop = DETAILS(drop, DROP, V2_DROP_OPERATION_DROP_TABLE, { true });
    const v2_rename_table names = { TEXT("a"), TEXT("b") };
    const v2_migration_details rename_table = DETAILS(rename, RENAME, V2_RENAME_OPERATION_RENAME_TABLE,
                                                      { .rename_table = &names });
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    assert_string_equal(ask(&p, &drop, WEIR_OK), "success");
    assert_string_equal(ask(&p, &drop, WEIR_UNSUPPORTED), "unsupported");
    assert_string_equal(ask(&p, &drop, WEIR_ITEM), "W slow");
    assert_string_equal(ask(&p, &drop, WEIR_TASK), "T Grant it.");
    assert_string_equal(ask(&p, &drop, WEIR_FAILED), "broken");
    assert_string_equal(ask(&p, &drop, WEIR_NOT_FOUND), "success"); /* R-MIG-01 */
    assert_string_equal(ask(&p, &rename_table, WEIR_NOT_FOUND),
                        "cannot migrate table 's.a': it does not exist");
    peer_close(&p);
}

static void bad_requests_are_told(void **state)
{
    const v2_add_column_in_history_mode no_time = { TEXT("c"), V2_DATA_TYPE_INT, TEXT("7"), TEXT("soon") };
    const v2_add_column_in_history_mode no_type = { TEXT("c"), 99, TEXT("7"), TEXT("soon") };
    const v2_copy_table no_target = { TEXT("a"), { 0 } };
    const struct {
        v2_migration_details details;
        const char *text;
    } cases[] = {
        { DETAILS(add, ADD, V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE,
                  { .add_column_in_history_mode = &no_time }),
          "the operation timestamp 'soon' is no time like 2005-05-28T20:57:00Z" },
        { DETAILS(add, ADD, V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE,
                  { .add_column_in_history_mode = &no_type }),
          "column 'c' has the unknown type 99" },
        { DETAILS(copy, COPY, V2_COPY_OPERATION_COPY_TABLE, { .copy_table = &no_target }),
          "the request names no table" },
        { DETAILS(update_column_value, UPDATE_COLUMN_VALUE, { 0 }, TEXT("x")),
          "the request names no column" },
        { DETAILS(drop, DROP, V2_DROP_OPERATION_DROP_TABLE, { false }),
          "the request says not to drop the table" },
    };
    peer p;

    (void)state;
    peer_destination(&p, &destination);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(ask(&p, &cases[i].details, WEIR_OK), cases[i].text);
        assert_string_equal(seen, "");
    }
    assert_string_equal(ask(&p, NULL, WEIR_OK), "the request has no migration details");
    peer_close(&p);
}

/* R-MIG-03: the text is brought to the column's type. */
static void values_become_cells(void **state)
{
    const weir_column number = { .name = "n", .type = WEIR_LONG };
    const weir_column money = { .name = "m", .type = WEIR_DECIMAL };
    const weir_column raw = { .name = "b", .type = WEIR_BINARY };
    const weir_column text = { .name = "s", .type = WEIR_STRING };
    const weir_column when = { .name = "w", .type = WEIR_UTC_DATETIME };
    weir_call call;
    weir_cell cell;

    (void)state;
    assert_true(weir__call_init(&call, NULL));
    assert_int_equal(weir_cell_from_text(&call, &number, TEXT("-9223372036854775808"), &cell), WEIR_OK);
    assert_int_equal(cell.as.integer, INT64_MIN);
    assert_string_equal(cell.column, "n");
    assert_int_equal(weir_cell_from_text(&call, &money, TEXT("1.5e3"), &cell), WEIR_OK);
    assert_true(bytes_are(cell.as.bytes, "1500"));
    assert_int_equal(weir_cell_from_text(&call, &raw, TEXT("AAE="), &cell), WEIR_OK);
    assert_int_equal(cell.as.bytes.size, 2);
    assert_memory_equal(cell.as.bytes.data, "\0\1", 2);
    assert_int_equal(weir_cell_from_text(&call, &text, TEXT(""), &cell), WEIR_OK);
    assert_int_equal(cell.presence, WEIR_VALUE);
    assert_int_equal(cell.as.bytes.size, 0);
    assert_int_equal(weir_cell_from_text(&call, &when, TEXT(""), &cell), WEIR_OK);
    assert_int_equal(cell.presence, WEIR_NULL);
    assert_int_equal(cell.type, WEIR_UTC_DATETIME);
    assert_int_equal(weir_cell_from_text(&call, &number, (weir_bytes){ NULL, 0 }, &cell), WEIR_OK);
    assert_int_equal(cell.presence, WEIR_NULL);
    assert_int_equal(weir_cell_from_text(&call, &number, TEXT("many"), &cell), WEIR_FAILED);
    assert_string_equal(call.text, "column 'n': 'many' is no value of type LONG");
    weir__call_clear(&call);
}

static weir_status convert(void *context)
{
    const v2_add_column_in_history_mode add_history = { TEXT("c"), V2_DATA_TYPE_INT, TEXT("7"),
                                                        TEXT("2005-05-28T20:57:00Z") };
    const v2_migration_details details = DETAILS(add, ADD, V2_ADD_OPERATION_ADD_COLUMN_IN_HISTORY_MODE,
                                                 { .add_column_in_history_mode = &add_history });
    weir_migration *out = context;
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    weir_error err = { 0 };
    weir_status status = WEIR_FAILED;

    out->table = "untouched";
    if (arena != NULL) {
        status = weir__migration_from_wire(&details, arena, out, &err);
        if (status != WEIR_OK) {
            assert_true(err.text[0] != '\0');
            assert_string_equal(out->table, "untouched");
        }
    }
    weir__arena_free(arena);
    return status;
}

static void reading_survives_every_failed_allocation(void **state)
{
    weir_migration out;

    (void)state;
    WEIR_EVERY_FAILURE(convert, &out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_arrives),
        cmocka_unit_test(live_mode_is_unsupported),
        cmocka_unit_test(every_outcome_has_its_reply),
        cmocka_unit_test(bad_requests_are_told),
        cmocka_unit_test(values_become_cells),
        cmocka_unit_test(reading_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
