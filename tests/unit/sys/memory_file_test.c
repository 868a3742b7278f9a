/* sys/memory_file: what is written is read by bytes and by path, by us and by others. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/memory_file.h"

static void holds_what_was_written(void **state)
{
    weir_memory_file *file = NULL;
    weir_output output;
    weir_bytes bytes;
    weir_error err;

    (void)state;
    assert_int_equal(weir__memory_file_create("test", &file, &err), WEIR_OK);
    assert_int_equal(weir__memory_file_bytes(file, &bytes, &err), WEIR_OK);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(weir__memory_file_write(file, "one ", 4, &err), WEIR_OK);
    output = weir__memory_file_output(file);
    assert_int_equal(output.write(output.context, "two", 3, &err), WEIR_OK);
    assert_int_equal(weir__memory_file_bytes(file, &bytes, &err), WEIR_OK);
    assert_int_equal(bytes.size, 7);
    assert_memory_equal(bytes.data, "one two", 7);
    weir__memory_file_close(file);
}

static void others_read_and_write_it_by_path(void **state)
{
    weir_memory_file *file = NULL;
    char text[8] = { 0 };
    weir_bytes bytes;
    weir_error err;
    FILE *by_path;

    (void)state;
    assert_int_equal(weir__memory_file_create("test", &file, &err), WEIR_OK);
    assert_int_equal(weir__memory_file_write(file, "first", 5, &err), WEIR_OK);
    by_path = fopen(weir__memory_file_path(file), "r");
    assert_non_null(by_path);
    assert_int_equal(fread(text, 1, sizeof text, by_path), 5);
    assert_string_equal(text, "first");
    fclose(by_path);
    by_path = fopen(weir__memory_file_path(file), "w");
    assert_non_null(by_path);
    fputs("second", by_path);
    fclose(by_path);
    assert_int_equal(weir__memory_file_bytes(file, &bytes, &err), WEIR_OK);
    assert_int_equal(bytes.size, 6);
    assert_memory_equal(bytes.data, "second", 6);
    assert_true((fcntl(weir__memory_file_descriptor(file), F_GETFD) & FD_CLOEXEC) != 0);
    weir__memory_file_close(file);
}

static weir_status create_and_close(void *context)
{
    weir_memory_file *file = NULL;
    weir_status status = weir__memory_file_create("test", &file, NULL);

    (void)context;
    weir__memory_file_close(file);
    return status;
}

static void a_sealed_file_cannot_be_changed(void **state)
{
    weir_memory_file *file = NULL;
    char text[8] = { 0 };
    int again;

    (void)state;
    assert_int_equal(weir__memory_file_create("test", &file, NULL), WEIR_OK);
    assert_int_equal(weir__memory_file_write(file, "rows", 4, NULL), WEIR_OK);
    assert_int_equal(weir__memory_file_seal(file, NULL), WEIR_OK);
    assert_int_equal(weir__memory_file_write(file, "x", 1, NULL), WEIR_FAILED);
    assert_int_equal(read(weir__memory_file_descriptor(file), text, sizeof text), 4);
    assert_string_equal(text, "rows");
    again = open(weir__memory_file_path(file), O_RDWR | O_CLOEXEC);
    if (again >= 0) {
        assert_int_equal(write(again, "x", 1), -1);
        assert_int_equal(ftruncate(again, 20), -1);
        close(again);
    }
    weir__memory_file_close(file);
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(create_and_close, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_was_written),
        cmocka_unit_test(others_read_and_write_it_by_path),
        cmocka_unit_test(a_sealed_file_cannot_be_changed),
        cmocka_unit_test(survives_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
