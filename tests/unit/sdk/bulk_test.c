/*
 * sdk: batch files handed out whole (weir_batch_next_file): as a stream and as memory that looks like a file.
 * The files are written here by hand, so that what comes out can be compared byte by byte.
 */
#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "peer.h"
#include "sdk/load.h"

static const weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                                       { .name = "a,b", .type = WEIR_STRING } };
static const weir_table table = { .name = "t", .columns = columns, .column_count = 2 };

#define REPLACES "\"a,b\",id\n\"line\r\nfeed \"\"x\"\"\",1\nnul-1,2\n"
#define UPDATES "id\r\n\"7\"\r\n"

/* A request of hand-written files and the batch that reads it, without a server around. */
typedef struct reading {
    peer p;
    weir_call call;
    weir_batch batch;
    weir_bytes replaces[2];
    weir_bytes update;
    v2_file_params params;
    weir_load_request request;
} reading;

static void put_file(reading *r, const char *name, const char *text, size_t size, weir_bytes *path)
{
    *path = text_of(weir__arena_printf(r->p.arena, "%s/%s", r->p.folder, name));
    FILE *out = fopen(path->data, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void prepare(reading *r)
{
    memset(r, 0, sizeof *r);
    peer_prepare(&r->p);
    put_file(r, "r0", REPLACES, strlen(REPLACES), &r->replaces[0]);
    put_file(r, "r1", "id\n", 3, &r->replaces[1]);
    put_file(r, "u", UPDATES, strlen(UPDATES), &r->update);
    r->params = (v2_file_params){ V2_COMPRESSION_OFF, V2_ENCRYPTION_NONE, TEXT("nul-1"), { NULL, 0 } };
    r->request = (weir_load_request){ .params = &r->params,
                                      .lists = { { WEIR_BATCH_REPLACE, r->replaces, 2 },
                                                 { WEIR_BATCH_UPDATE, &r->update, 1 } } };
}

static void finish(reading *r)
{
    unlink(r->replaces[0].data);
    unlink(r->replaces[1].data);
    unlink(r->update.data);
    weir__arena_free(r->p.arena);
    rmdir(r->p.folder);
}

static void begin(reading *r)
{
    assert_true(weir__call_init(&r->call, NULL));
    assert_int_equal(weir__load_init(&r->batch, &r->call, &table, &r->request), WEIR_OK);
}

static void end(reading *r)
{
    weir__load_clear(&r->batch);
    weir__call_clear(&r->call);
}

/* All of the file in hand, `step` bytes at a time. */
static weir_status read_text(weir_batch *in, size_t step, char *out, size_t *size)
{
    weir_status status;
    size_t got = 0;

    *size = 0;
    while ((status = weir_batch_read(in, out + *size, step, &got)) == WEIR_ITEM) {
        assert_in_range(got, 1, step);
        *size += got;
    }
    return status;
}

static void files_come_whole_and_in_order(void **state)
{
    char text[4096];
    weir_batch_file file;
    size_t size;
    reading r;

    (void)state;
    prepare(&r);
    for (size_t step = 1; step < 100; step += 33) {
        begin(&r);
        assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
        assert_int_equal(file.op, WEIR_REPLACE);
        assert_string_equal(file.name, "r0");
        assert_int_equal(file.column_count, 2);
        assert_string_equal(file.columns[0], "a,b");
        assert_string_equal(file.columns[1], "id");
        assert_string_equal(file.null_string.data, "nul-1");
        assert_int_equal(file.unmodified_string.size, 0);
        assert_string_equal(file.unmodified_string.data, "");
        assert_int_equal(read_text(&r.batch, step, text, &size), WEIR_OK);
        assert_int_equal(size, strlen(REPLACES));
        assert_memory_equal(text, REPLACES, size);
        assert_int_equal(weir_batch_read(&r.batch, text, 1, &size), WEIR_OK); /* stays at the end */
        assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
        assert_int_equal(file.column_count, 1);
        assert_int_equal(read_text(&r.batch, step, text, &size), WEIR_OK);
        assert_memory_equal(text, "id\n", 3);
        assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
        assert_int_equal(file.op, WEIR_UPDATE);
        assert_string_equal(file.columns[0], "id");
        assert_int_equal(read_text(&r.batch, step, text, &size), WEIR_OK);
        assert_memory_equal(text, UPDATES, size);
        assert_false(r.batch.ended);
        assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_OK);
        assert_true(r.batch.ended);
        end(&r);
    }
    finish(&r);
}

/* From anywhere, rows and files alike; what comes after is what came before. */
static void a_batch_is_read_again(void **state)
{
    char text[4096];
    weir_batch_file file;
    size_t size;
    weir_row row;
    reading r;

    (void)state;
    prepare(&r);
    begin(&r);
    for (int rows = 0; rows <= 3; rows++) {
        for (int i = 0; i < rows; i++)
            assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_ITEM);
        assert_int_equal(weir_batch_rewind(&r.batch), WEIR_OK);
    }
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_read(&r.batch, text, 5, &size), WEIR_ITEM);
    assert_int_equal(weir_batch_rewind(&r.batch), WEIR_OK);
    for (int rows = 0; rows < 3; rows++) {
        assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_ITEM);
        assert_int_equal(row.cells[0].as.integer, rows < 2 ? rows + 1 : 7);
    }
    assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_OK);
    assert_int_equal(weir_batch_rewind(&r.batch), WEIR_OK);
    assert_false(r.batch.ended);
    unlink(r.replaces[0].data);
    assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_FAILED);
    assert_int_equal(weir_batch_rewind(&r.batch), WEIR_FAILED);
    end(&r);
    finish(&r);
}

/* What a loader may do with the memory: open the path, read it, and change nothing. */
static void memory_is_a_sealed_file(void **state)
{
    weir_batch_memory memory;
    weir_batch_file file;
    char text[256];
    struct stat info;
    reading r;
    int again;

    (void)state;
    prepare(&r);
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_memory_file(&r.batch, &memory), WEIR_OK);
    assert_int_equal(memory.size, strlen(REPLACES));
    assert_int_equal(read(memory.descriptor, text, sizeof text), memory.size);
    assert_memory_equal(text, REPLACES, memory.size);
    again = open(memory.path, O_RDONLY | O_CLOEXEC);
    assert_true(again >= 0);
    assert_int_equal(read(again, text, sizeof text), memory.size);
    assert_memory_equal(text, REPLACES, memory.size);
    close(again);
    assert_int_equal(write(memory.descriptor, "x", 1), -1);
    assert_int_equal(ftruncate(memory.descriptor, 0), -1);
    assert_int_equal(fstat(memory.descriptor, &info), 0);
    assert_int_equal(info.st_nlink, 0); /* in no folder */
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(fstat(memory.descriptor, &info), -1); /* gone */
    end(&r);                                               /* with a file in hand */
    finish(&r);
}

static void memory_has_a_bound(void **state)
{
    weir_batch_memory memory;
    weir_batch_file file;
    reading r;

    (void)state;
    prepare(&r);
    r.request.memory_max = strlen(REPLACES);
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_memory_file(&r.batch, &memory), WEIR_OK);
    end(&r);
    r.request.memory_max = strlen(REPLACES) - 1;
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_memory_file(&r.batch, &memory), WEIR_FAILED);
    assert_non_null(strstr(r.call.text, "batch file 'r0' has more than "));
    assert_non_null(strstr(r.call.text, " bytes of text, the most that this destination takes"));
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_FAILED); /* sticky */
    end(&r);
    finish(&r);
}

/* The header is checked as it is for rows (R-BAT-09); a cut file is no file (R-BAT-10). */
static void bad_files_are_refused(void **state)
{
    static const char encrypted[48] = "sixteen bytes IVnot a multiple of sixteen";
    v2_bytes_entry keys = { { NULL, 0 }, TEXT("0123456789abcdef0123456789abcdef") };
    weir_batch_file file;
    reading r;

    (void)state;
    prepare(&r);
    put_file(&r, "r0", "id,other\n1,2\n", 13, &r.replaces[0]);
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_FAILED);
    assert_string_equal(r.call.text, "read batch file 'r0': column 'other' is not in table 't'");
    end(&r);
    put_file(&r, "r0", encrypted, 41, &r.replaces[0]);
    r.params.encryption = V2_ENCRYPTION_AES;
    keys.key = r.replaces[0];
    r.request.keys = &keys;
    r.request.keys_count = 1;
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_FAILED);
    assert_non_null(strstr(r.call.text, "'r0'"));
    end(&r);
    finish(&r);
}

static void mistakes_of_the_connector_are_told(void **state)
{
    weir_batch_memory memory;
    weir_batch_file file;
    weir_row row;
    char text[8];
    size_t got;
    reading r;

    (void)state;
    prepare(&r);
    begin(&r);
    assert_int_equal(weir_batch_read(&r.batch, text, 8, &got), WEIR_FAILED);
    assert_string_equal(r.call.text,
                        "a mistake in the connector: writing table 't' it read a file that it had "
                        "not asked for");
    end(&r);
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_FAILED);
    assert_non_null(strstr(r.call.text, "before it had read the one in hand to its end"));
    end(&r);
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_read(&r.batch, text, 8, &got), WEIR_ITEM);
    assert_int_equal(weir_batch_memory_file(&r.batch, &memory), WEIR_FAILED);
    assert_non_null(strstr(r.call.text, "has been read already"));
    end(&r);
    begin(&r);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_ITEM);
    assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_FAILED);
    assert_non_null(strstr(r.call.text, "asked for rows after it had asked for files"));
    end(&r);
    begin(&r);
    assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_ITEM);
    assert_int_equal(weir_batch_next_file(&r.batch, &file), WEIR_FAILED);
    assert_non_null(strstr(r.call.text, "asked for files after it had asked for rows"));
    end(&r);
    finish(&r);
}

/* A destination may take larger cells than the default, and smaller ones. */
static void cells_have_the_bound_of_the_destination(void **state)
{
    const size_t size = 3 * WEIR_MIB / 2;
    char *text = malloc(size + 16);
    weir_row row;
    reading r;

    (void)state;
    assert_non_null(text);
    memcpy(text, "id,\"a,b\"\n1,", 11);
    memset(text + 11, 'x', size);
    prepare(&r);
    put_file(&r, "r0", text, size + 11, &r.replaces[0]);
    r.request.cell_size_max = size - 1;
    begin(&r);
    assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_FAILED);
    assert_string_equal(r.call.text,
                        "read batch file 'r0': row 1, column 'a,b': the cell is larger than 1572863 "
                        "bytes, the most that is taken here");
    end(&r);
    r.request.cell_size_max = size;
    begin(&r);
    assert_int_equal(weir_batch_next(&r.batch, &row), WEIR_ITEM);
    assert_int_equal(row.cells[1].as.bytes.size, size);
    end(&r);
    finish(&r);
    free(text);
}

static weir_status read_every_way(void *context)
{
    reading *r = context;
    weir_status status = WEIR_FAILED;
    weir_batch_memory memory;
    weir_batch_file file;
    char text[256];
    size_t size;
    int count = 0;

    if (!weir__call_init(&r->call, NULL))
        return WEIR_FAILED;
    status = weir__load_init(&r->batch, &r->call, &table, &r->request);
    while (status == WEIR_OK && (status = weir_batch_next_file(&r->batch, &file)) == WEIR_ITEM)
        status = ++count == 1 ? weir_batch_memory_file(&r->batch, &memory)
                              : read_text(&r->batch, 8, text, &size);
    if (status == WEIR_OK)
        assert_int_equal(count, 3);
    else
        assert_true(r->call.text_size > 0);
    end(r);
    return status;
}

static void reading_survives_every_failed_allocation(void **state)
{
    reading r;

    (void)state;
    prepare(&r);
    WEIR_EVERY_FAILURE(read_every_way, &r);
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_whole_and_in_order),
        cmocka_unit_test(a_batch_is_read_again),
        cmocka_unit_test(memory_is_a_sealed_file),
        cmocka_unit_test(memory_has_a_bound),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(mistakes_of_the_connector_are_told),
        cmocka_unit_test(cells_have_the_bound_of_the_destination),
        cmocka_unit_test(reading_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
