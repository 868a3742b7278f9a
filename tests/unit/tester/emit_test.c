/*
 * tester/emit: a request as files: names, keys, markers, and what a reader gets out of them (R-BAT-01 to
 * R-BAT-06).
 */
#include "plan_support.h"

#include <stdlib.h>

#include "batch/reader.h"
#include "sys/file.h"
#include "tester/emit.h"

#define FILE_TEXT                                                                                            \
    "{\"create_table\": {\"a/b\": {\"columns\": {\"id\": \"INT\", \"s\": \"STRING\", \"n\": \"DOUBLE\"}, "   \
    "\"primary_key\": [\"id\"]}}, \"ops\": [{\"upsert\": {\"a/b\": [{\"id\": 1, \"s\": \"x\"}, {\"id\": 2, " \
    "\"s\": "                                                                                                \
    "\"\", \"n\": 0.5}]}}, {\"update\": {\"a/b\": [{\"id\": 3, \"s\": null}]}}]}"

typedef struct place {
    char folder[64];
    tester_options options;
} place;

static void open_place(place *p, bool official)
{
    *p = (place){ .folder = "/tmp/weir-emit-XXXXXX" };
    assert_non_null(mkdtemp(p->folder));
    p->options = (tester_options){ .folder = p->folder,
                                   .profile = official ? TESTER_OFFICIAL : TESTER_PRODUCTION,
                                   .seed = 7,
                                   .schema = "s" };
}

static void close_place(place *p)
{
    assert_int_equal(weir__folder_remove(p->folder, NULL), WEIR_OK);
}

static void emit(place *p, bench *b, emitter *e, emit_files *out)
{
    plan_request request;
    weir_error err;

    for (size_t i = 0; i < b->file.step_count; i++)
        for (const input_value *raw = b->file.steps[i].rows->first; raw != NULL; raw = raw->next) {
            input_row row;

            assert_int_equal(
                row_read(b->reader, b->file.steps[i].op, raw, write_plan_arena(b->plan), &row, &err),
                WEIR_OK);
            assert_int_equal(write_plan_add(b->plan, &row, (weir_time){ .seconds = 1 }, &err), WEIR_OK);
        }
    assert_int_equal(write_plan_take(b->plan, &request, &err), WEIR_OK);
    if (emit_request(e, b->table, "in put", &request, out, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    write_plan_reset(b->plan);
    (void)p;
}

/* The rows of a file as "1,x,@|…", read by the batch reader. */
static void read_back(const bench *b, const emit_files *files, const emit_file *file, char out[512])
{
    weir_file_params params = { .compression = WEIR_COMPRESSION_ZSTD,
                                .encryption = WEIR_ENCRYPTION_AES,
                                .null_string = weir__text(files->markers.null_string),
                                .unmodified_string = weir__text(files->markers.unmodified_string) };
    weir_file_params shown = { .null_string = weir__text("@"), .unmodified_string = weir__text("~") };
    weir_reader_file begin = { .name = file->path,
                               .kind = file->kind == PLAN_UPDATE ? WEIR_BATCH_UPDATE : WEIR_BATCH_REPLACE,
                               .table = b->table,
                               .params = &params,
                               .key = file->key };
    weir_reader *reader = weir__reader_new();
    weir_file *handle;
    weir_error err;
    weir_row row;
    weir_buf text;

    weir__buf_init(&text, 512);
    assert_int_equal(weir__file_open(file->path, &handle, &err), WEIR_OK);
    begin.input = weir__file_input(handle);
    if (weir__reader_open(reader, &begin, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    while (weir__reader_next(reader, &row, &err) == WEIR_ITEM)
        assert_int_equal(weir__csv_put_row(&text, &shown, row.cells, 3, &err), WEIR_OK);
    snprintf(out, 512, "%.*s", (int)text.size, text.data);
    weir__buf_clear(&text);
    weir__reader_free(reader);
    weir__file_close(handle);
}

static void a_request_becomes_files(void **state)
{
    emit_files files;
    emitter *e;
    char path[256];
    char text[512];
    place p;
    bench b;

    (void)state;
    open_place(&p, false);
    bench_open(&b, FILE_TEXT, false);
    e = emitter_new(&p.options, false);
    emit(&p, &b, e, &files);
    assert_int_equal(files.count, 2);
    snprintf(path, sizeof path, "%s/a_b_in put_1_upsert.csv.zstd.aes", p.folder);
    assert_string_equal(files.first->path, path);
    snprintf(path, sizeof path, "%s/a_b_in put_1_update.csv.zstd.aes", p.folder);
    assert_string_equal(files.last->path, path);
    assert_memory_not_equal(files.first->key, files.last->key, WEIR_BATCH_KEY_SIZE); /* R-BAT-02 */
    assert_int_equal(files.first->rows, 2);
    read_back(&b, &files, files.first, text);
    assert_string_equal(text, "1,x,@\n2,,0.5\n");
    read_back(&b, &files, files.last, text);
    assert_string_equal(text, "3,@,~\n");
    emit_clear(&files, false);
    assert_int_equal(weir__file_load(path, &(weir_buf){ .size_max = 1 }, NULL), WEIR_NOT_FOUND); /* removed */
    emitter_free(e);
    bench_close(&b);
    close_place(&p);
}

static void official_files_have_the_official_names_and_markers(void **state)
{
    emit_files files;
    emitter *e;
    char path[256];
    place p;
    bench b;

    (void)state;
    open_place(&p, true);
    bench_open(&b, FILE_TEXT, true);
    e = emitter_new(&p.options, false);
    emit(&p, &b, e, &files);
    snprintf(path, sizeof path, "%s/a_b_in put_upsert.csv.zstd.aes", p.folder);
    assert_string_equal(files.first->path, path);
    assert_string_equal(files.markers.null_string, "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP");
    assert_string_equal(files.markers.unmodified_string, "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3");
    emit_clear(&files, false);
    emitter_free(e);
    bench_close(&b);
    close_place(&p);
}

/* R-BAT-06: markers of a request are random; the same seed gives the same ones. */
static void markers_are_random_by_seed(void **state)
{
    weir_batch_markers markers[4];

    (void)state;
    for (int run = 0; run < 2; run++) {
        emit_files files;
        emitter *e;
        place p;
        bench b;

        open_place(&p, false);
        bench_open(&b, FILE_TEXT, false);
        e = emitter_new(&p.options, false);
        for (int i = 0; i < 2; i++) {
            emit(&p, &b, e, &files);
            markers[run * 2 + i] = files.markers;
            emit_clear(&files, false);
        }
        emitter_free(e);
        bench_close(&b);
        close_place(&p);
    }
    assert_memory_equal(&markers[0], &markers[2], sizeof markers[0]);
    assert_memory_equal(&markers[1], &markers[3], sizeof markers[0]);
    assert_string_not_equal(markers[0].null_string, markers[1].null_string);
}

/* A folder that cannot be written leaves nothing behind. */
static void a_failure_leaves_nothing(void **state)
{
    plan_request request;
    emit_files files = { .count = 77 };
    weir_error err;
    input_row row;
    emitter *e;
    place p;
    bench b;

    (void)state;
    open_place(&p, false);
    bench_open(&b, FILE_TEXT, false);
    p.options.folder = "/nowhere/at/all";
    e = emitter_new(&p.options, false);
    assert_int_equal(
        row_read(b.reader, INPUT_UPSERT, b.file.steps[0].rows->first, write_plan_arena(b.plan), &row, &err),
        WEIR_OK);
    assert_int_equal(write_plan_add(b.plan, &row, (weir_time){ 0 }, &err), WEIR_OK);
    assert_int_equal(write_plan_take(b.plan, &request, &err), WEIR_OK);
    assert_true(emit_request(e, b.table, "in", &request, &files, &err) < 0);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_int_equal(files.count, 77);
    emitter_free(e);
    bench_close(&b);
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_files),
        cmocka_unit_test(official_files_have_the_official_names_and_markers),
        cmocka_unit_test(markers_are_random_by_seed),
        cmocka_unit_test(a_failure_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
