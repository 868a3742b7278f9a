/* record/recorder, tape and key: what a sync says is found again, without its secrets and its batch keys. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wire/v2.h>

#include "base/limits.h"
#include "base/map.h"
#include "batch/pack.h"
#include "record/key.h"
#include "record/recorder.h"
#include "record/summary.h"
#include "record/tape.h"
#include "sys/file.h"

#define SECRET "canary-secret-1"

typedef struct world {
    char folder[64];
    char path[96];
    char key[110];
    char batch[96];
} world;

static void set_up(world *w)
{
    snprintf(w->folder, sizeof w->folder, "/tmp/weir-record-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/r", w->folder);
    snprintf(w->key, sizeof w->key, "%s.key", w->path);
    snprintf(w->batch, sizeof w->batch, "%s/00ff_upsert.csv.aes", w->folder);
}

static void tear_down(world *w)
{
    assert_int_equal(weir__folder_remove(w->folder, NULL), WEIR_OK);
}

static const unsigned char batch_key[WEIR_BATCH_KEY_SIZE] = "canary-batch-key";

static void write_batch_file(const world *w, const char *text, size_t size)
{
    weir_packer *packer = weir__packer_new();
    weir_packer_file what = { .encryption = WEIR_ENCRYPTION_AES,
                              .key = batch_key,
                              .iv = (const unsigned char *)"0123456789abcdef" };
    weir_file *file = NULL;
    weir_error err;

    assert_non_null(packer);
    assert_int_equal(weir__file_create(w->batch, &file, &err), WEIR_OK);
    what.output = weir__file_output(file);
    assert_int_equal(weir__packer_begin(packer, &what, &err), WEIR_OK);
    assert_int_equal(weir__packer_write(packer, text, size, &err), WEIR_OK);
    assert_int_equal(weir__packer_finish(packer, NULL, &err), WEIR_OK);
    weir__packer_free(packer);
    weir__file_close(file);
}

static void encode(const weir_codec_message *type, const void *message, weir_buf *out)
{
    weir_error err;

    weir__buf_init(out, WEIR_MIB);
    assert_int_equal(weir__codec_encode(type, message, out, &err), WEIR_OK);
}

static uint32_t record_write(recorder *r, const world *w)
{
    v2_string_entry config[] = { { weir__text("password"), weir__text(SECRET) } };
    v2_bytes_entry keys[] = { { weir__text(w->batch), { (const char *)batch_key, sizeof batch_key } } };
    weir_bytes files[] = { weir__text(w->batch) };
    v2_table table = { .name = weir__text("people") };
    v2_write_batch_request request = { .configuration = config,
                                       .configuration_count = 1,
                                       .schema_name = weir__text("s"),
                                       .table = &table,
                                       .keys = keys,
                                       .keys_count = 1,
                                       .replace_files = files,
                                       .replace_files_count = 1 };
    weir_buf bytes;
    uint32_t number;

    encode(&weir__v2_write_batch_request, &request, &bytes);
    number = recorder_call(r, V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH, weir__buf_bytes(&bytes));
    weir__buf_clear(&bytes);
    return number;
}

static void record_stream(recorder *r)
{
    v2_string_entry config[] = { { weir__text("password"), weir__text(SECRET) } };
    v2_update_request request = { .configuration = config, .configuration_count = 1 };
    v2_checkpoint checkpoint = { .state_json = weir__text("{\"at\": 1}") };
    v2_update_response message = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                   .operation.checkpoint = &checkpoint };
    weir_error err;
    weir_buf bytes;

    encode(&weir__v2_update_request, &request, &bytes);
    recorder_call(r, V2_SOURCE_CONNECTOR_UPDATE_PATH, weir__buf_bytes(&bytes));
    weir__buf_clear(&bytes);
    encode(&weir__v2_update_response, &message, &bytes);
    recorder_message(r, weir__buf_bytes(&bytes));
    weir__buf_clear(&bytes);
    weir__error_as(&err, WEIR_TASK, "the password " SECRET " is wrong");
    recorder_end(r, 0, WEIR_TASK, &err);
}

/* Everything that the recording says, one behind the other. */
static void read_all(const world *w, weir_buf *out)
{
    record_tape *tape = NULL;
    record_frame frame;
    weir_error err;
    weir_status status;

    weir__buf_init(out, 16 * WEIR_MIB);
    assert_int_equal(record_tape_open(w->path, NULL, &tape, &err), WEIR_OK);
    while ((status = record_tape_next(tape, &frame, &err)) == WEIR_ITEM)
        assert_true(weir__buf_put(out, frame.payload.data, frame.payload.size));
    assert_int_equal(status, WEIR_OK);
    assert_false(record_tape_cut(tape));
    record_tape_close(tape);
}

static bool holds(const weir_buf *bytes, const char *text)
{
    return memmem(bytes->data, bytes->size, text, strlen(text)) != NULL;
}

static void record_all(const world *w)
{
    recorder_options options = { .path = w->path, .info = weir__text("{\"source\":\"x\"}") };
    recorder *r = NULL;
    weir_error err;
    uint32_t number;

    assert_int_equal(recorder_open(&options, &r, &err), WEIR_OK);
    assert_int_equal(recorder_secret(r, weir__text(SECRET), &err), WEIR_OK);
    record_stream(r);
    number = record_write(r, w);
    assert_int_equal(number, 2);
    recorder_reply(r, number, (weir_bytes){ "\x08\x01", 2 });
    recorder_end(r, number, WEIR_OK, NULL);
    recorder_log(r, "source", "INFO", weir__text("logged in with " SECRET));
    assert_int_equal(recorder_close(r, WEIR_OK, NULL, &err), WEIR_OK);
}

static void all_is_found_again_without_secrets(void **state)
{
    static char rows[700000];
    record_summary s;
    weir_buf bytes;
    weir_error err;
    world w;

    (void)state;
    memset(rows, 'r', sizeof rows);
    set_up(&w);
    write_batch_file(&w, rows, sizeof rows);
    record_all(&w);
    read_all(&w, &bytes);
    assert_true(bytes.size > sizeof rows);
    assert_true(holds(&bytes, "rrrr") && holds(&bytes, "{\"at\": 1}") && holds(&bytes, "logged in with ***"));
    assert_true(holds(&bytes, "the password *** is wrong"));
    assert_false(holds(&bytes, SECRET) || holds(&bytes, "canary-batch-key") || holds(&bytes, w.folder));
    weir__buf_clear(&bytes);
    assert_int_equal(record_summary_read(w.path, NULL, &s, &err), WEIR_OK);
    assert_int_equal(s.call_count, 2);
    assert_true(s.closed && !s.cut && s.status == WEIR_OK && s.logs == 1);
    assert_int_equal(s.calls[0].status, WEIR_TASK);
    assert_int_equal(s.calls[0].checkpoints, 1);
    assert_string_equal(s.calls[1].table, "people");
    assert_int_equal(s.calls[1].files, 1);
    assert_int_equal(s.calls[1].file_size, sizeof rows);
    record_summary_clear(&s);
    tear_down(&w);
}

static void nothing_recorded_is_harmless(void **state)
{
    weir_error err;

    (void)state;
    assert_int_equal(recorder_call(NULL, V2_SOURCE_CONNECTOR_SCHEMA_PATH, (weir_bytes){ 0 }), 0);
    recorder_reply(NULL, 0, (weir_bytes){ 0 });
    recorder_message(NULL, (weir_bytes){ 0 });
    recorder_end(NULL, 0, WEIR_OK, NULL);
    recorder_log(NULL, "source", "", (weir_bytes){ 0 });
    assert_int_equal(recorder_secret(NULL, (weir_bytes){ 0 }, &err), WEIR_OK);
    assert_int_equal(recorder_close(NULL, WEIR_OK, NULL, &err), WEIR_OK);
}

static void a_recording_is_not_overwritten(void **state)
{
    recorder_options options = { .info = weir__text("{}") };
    recorder *r = NULL;
    weir_error err;
    world w;

    (void)state;
    set_up(&w);
    options.path = w.path;
    assert_int_equal(recorder_open(&options, &r, &err), WEIR_OK);
    assert_int_equal(recorder_close(r, WEIR_OK, NULL, &err), WEIR_OK);
    r = NULL;
    assert_int_equal(recorder_open(&options, &r, &err), WEIR_FAILED);
    assert_null(r);
    tear_down(&w);
}

/* A batch file that cannot be read ends the recording, which says so at its end, and nothing else. */
static void a_failed_recording_says_so(void **state)
{
    recorder_options options = { .info = weir__text("{}") };
    recorder *r = NULL;
    record_summary s;
    weir_error err;
    world w;

    (void)state;
    set_up(&w);
    options.path = w.path;
    assert_int_equal(recorder_open(&options, &r, &err), WEIR_OK);
    record_write(r, &w);
    recorder_log(r, "source", "", weir__text("later"));
    assert_int_equal(recorder_close(r, WEIR_OK, NULL, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "is not whole"));
    assert_int_equal(record_summary_read(w.path, NULL, &s, &err), WEIR_OK);
    assert_true(s.cut);
    record_summary_clear(&s);
    tear_down(&w);
}

static void keys_are_for_their_owner(void **state)
{
    unsigned char key[RECORD_KEY_SIZE];
    unsigned char again[RECORD_KEY_SIZE];
    struct stat info;
    weir_error err;
    FILE *file;
    bool made;
    world w;

    (void)state;
    set_up(&w);
    assert_int_equal(record_key_load(w.key, key, &err), WEIR_NOT_FOUND);
    assert_int_equal(record_key_take(w.key, key, &made, &err), WEIR_OK);
    assert_true(made);
    assert_int_equal(stat(w.key, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(record_key_take(w.key, again, &made, &err), WEIR_OK);
    assert_false(made);
    assert_memory_equal(key, again, sizeof key);
    assert_int_equal(chmod(w.key, 0640), 0);
    assert_int_equal(record_key_take(w.key, again, &made, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "can be read by others"));
    assert_int_equal(chmod(w.key, 0600), 0);
    file = fopen(w.key, "w");
    assert_non_null(file);
    fputs("0123", file);
    fclose(file);
    assert_int_equal(record_key_load(w.key, again, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "is no key: one has 64 hex digits"));
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_found_again_without_secrets), cmocka_unit_test(nothing_recorded_is_harmless),
        cmocka_unit_test(a_recording_is_not_overwritten),     cmocka_unit_test(a_failed_recording_says_so),
        cmocka_unit_test(keys_are_for_their_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
