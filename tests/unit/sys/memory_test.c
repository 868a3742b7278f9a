/* sys: files in memory. */
#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "sys/memory.h"

/* Appends `count` bytes of a pattern that starts at `from`. */
static weir_status append(weir_memory *memory, size_t from, size_t count, weir_error *err)
{
    while (count > 0) {
        void *data;
        size_t room = 0;

        if (weir__memory_room(memory, &data, &room, err) != WEIR_OK)
            return WEIR_FAILED;
        assert_true(room > 0);
        if (room > count)
            room = count;
        for (size_t i = 0; i < room; i++)
            ((unsigned char *)data)[i] = (unsigned char)((from + i) * 31 >> 3);
        weir__memory_add(memory, room);
        from += room;
        count -= room;
    }
    return WEIR_OK;
}

static void content_is_what_was_added(void **state)
{
    static const size_t sizes[] = {
        0, 1, 256 * WEIR_KIB - 1, 256 * WEIR_KIB, 256 * WEIR_KIB + 1, WEIR_MIB + 7
    };
    weir_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        weir_memory *memory = NULL;
        unsigned char byte;

        assert_int_equal(weir__memory_new(2 * WEIR_MIB, &memory, &err), WEIR_OK);
        assert_int_equal(append(memory, 0, sizes[i], &err), WEIR_OK);
        assert_int_equal(weir__memory_size(memory), sizes[i]);
        assert_int_equal(weir__memory_seal(memory, &err), WEIR_OK);
        assert_int_equal(weir__memory_size(memory), sizes[i]);
        for (size_t at = 0; at < sizes[i]; at += 4099) {
            assert_int_equal(pread(weir__memory_descriptor(memory), &byte, 1, (off_t)at), 1);
            assert_int_equal(byte, (unsigned char)(at * 31 >> 3));
        }
        assert_int_equal(lseek(weir__memory_descriptor(memory), 0, SEEK_END), sizes[i]);
        weir__memory_free(memory);
    }
    weir__memory_free(NULL);
}

static void a_sealed_file_cannot_be_changed(void **state)
{
    weir_memory *memory = NULL;
    int again;

    (void)state;
    assert_int_equal(weir__memory_new(WEIR_KIB, &memory, NULL), WEIR_OK);
    assert_int_equal(append(memory, 0, 10, NULL), WEIR_OK);
    assert_int_equal(weir__memory_seal(memory, NULL), WEIR_OK);
    again = open(weir__memory_path(memory), O_RDWR | O_CLOEXEC);
    assert_int_equal(write(weir__memory_descriptor(memory), "x", 1), -1);
    if (again >= 0) {
        assert_int_equal(write(again, "x", 1), -1);
        assert_int_equal(ftruncate(again, 20), -1);
        close(again);
    }
    weir__memory_free(memory);
}

static void the_maximum_holds(void **state)
{
    weir_memory *memory = NULL;
    weir_error err = { 0 };

    (void)state;
    assert_int_equal(weir__memory_new(300 * WEIR_KIB, &memory, &err), WEIR_OK);
    assert_int_equal(append(memory, 0, 300 * WEIR_KIB, &err), WEIR_OK);
    assert_int_equal(append(memory, 0, 1, &err), WEIR_FAILED);
    assert_string_equal(err.text, "a file in memory may have 307200 bytes, and has them");
    weir__memory_free(memory);
}

static weir_status make(void *context)
{
    weir_memory *memory = NULL;
    weir_status status = weir__memory_new(WEIR_KIB, &memory, context);

    if (status != WEIR_OK)
        assert_null(memory);
    weir__memory_free(memory);
    return status;
}

static void making_survives_a_failed_allocation(void **state)
{
    weir_error err;

    (void)state;
    WEIR_EVERY_FAILURE(make, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_what_was_added),
        cmocka_unit_test(a_sealed_file_cannot_be_changed),
        cmocka_unit_test(the_maximum_holds),
        cmocka_unit_test(making_survives_a_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
