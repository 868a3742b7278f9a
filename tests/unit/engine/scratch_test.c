/* engine/scratch: parts come back as they were put, and the file tells nothing of them. */
#include "support.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "engine/scratch.h"
#include "sys/file.h"

#define ITEMS 40000
#define MARK "what must not be read"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-scratch-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return weir__folder_remove(folder, NULL) == WEIR_OK ? 0 : -1;
}

/* Of the item that is put as number `i`: its part, and its size, now and then more than a block. */
static size_t part_of(uint32_t i)
{
    return i * 7U % 11;
}

static size_t size_of(uint32_t i)
{
    return i % 9973 == 5 ? 3 * WEIR_READBACK_BLOCK : 32 + i % 5 * 8;
}

static weir_status put(scratch *s, uint32_t i, weir_error *err)
{
    char *at = scratch_put(s, part_of(i), size_of(i), err);

    if (at == NULL)
        return WEIR_FAILED;
    memset(at, (int)i, size_of(i));
    memcpy(at, &i, sizeof i);
    memcpy(at + sizeof i, MARK, sizeof MARK);
    return WEIR_OK;
}

static void check_part(scratch *s, size_t part, uint32_t count)
{
    weir_buf out;
    weir_error err;
    size_t at = 0;

    weir__buf_init(&out, WEIR_READBACK_PART_MAX);
    assert_int_equal(scratch_read(s, part, &out, &err), WEIR_OK);
    assert_int_equal(out.size, scratch_size(s, part));
    for (uint32_t i = 0; i < count; i++) {
        char expected[4 * WEIR_READBACK_BLOCK];

        if (part_of(i) != part)
            continue;
        memset(expected, (int)i, size_of(i));
        memcpy(expected, &i, sizeof i);
        memcpy(expected + sizeof i, MARK, sizeof MARK);
        assert_true(at + size_of(i) <= out.size);
        assert_memory_equal(out.data + at, expected, size_of(i));
        at += size_of(i);
    }
    assert_int_equal(at, out.size);
    weir__buf_clear(&out);
}

static void parts_keep_their_order(void **state)
{
    scratch *s = NULL;
    weir_error err;

    (void)state;
    assert_int_equal(scratch_open(folder, NULL, &s, &err), WEIR_OK);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_int_equal(put(s, i, &err), WEIR_OK);
    for (size_t part = 0; part < WEIR_READBACK_PARTS; part++)
        check_part(s, part, ITEMS);
    check_part(s, 3, ITEMS); /* again */
    scratch_close(s);
}

/* The descriptor of the file that has no name any more. */
static int find_file(void)
{
    DIR *all = opendir("/proc/self/fd");
    struct dirent *one;
    int found = -1;

    assert_non_null(all);
    while ((one = readdir(all)) != NULL) {
        char link[300];
        char path[300] = "";

        snprintf(link, sizeof link, "/proc/self/fd/%s", one->d_name);
        if (readlink(link, path, sizeof path - 1) > 0 && strncmp(path, folder, strlen(folder)) == 0)
            found = (int)strtol(one->d_name, NULL, 10);
    }
    closedir(all);
    return found;
}

static void nothing_can_be_read_from_the_file(void **state)
{
    static char data[1 << 20];
    weir_folder_entry *entries = NULL;
    weir_arena *arena = weir__arena_new(1 << 20);
    size_t count = 0;
    scratch *s = NULL;
    weir_error err;
    ssize_t size;

    (void)state;
    assert_int_equal(scratch_open(folder, NULL, &s, &err), WEIR_OK);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_int_equal(put(s, i, &err), WEIR_OK);
    assert_int_equal(weir__folder_list(folder, arena, &entries, &count, &err), WEIR_OK);
    assert_int_equal(count, 0);
    size = pread(find_file(), data, sizeof data, 0);
    assert_int_equal(size, sizeof data);
    assert_null(memmem(data, sizeof data, MARK, strlen(MARK)));
    assert_null(memmem(data, sizeof data, MARK, 5));
    scratch_close(s);
    weir__arena_free(arena);
}

static void a_part_that_does_not_fit_is_told(void **state)
{
    scratch *s = NULL;
    weir_error err;
    weir_buf out;

    (void)state;
    weir__buf_init(&out, 1000);
    assert_int_equal(scratch_open(folder, NULL, &s, &err), WEIR_OK);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(put(s, i, &err), WEIR_OK);
    assert_int_equal(scratch_read(s, 0, &out, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "do not fit into memory"));
    scratch_close(s);
    weir__buf_clear(&out);
}

/* Puts items until one is refused, and what is refused says why; returns the bytes that were put. */
static uint64_t put_until(const scratch_limits *limits, const char *why)
{
    scratch *s = NULL;
    weir_error err;
    uint64_t size = 0;

    assert_int_equal(scratch_open(folder, limits, &s, &err), WEIR_OK);
    for (uint32_t i = 0; put(s, i, &err) == WEIR_OK; i++)
        size += size_of(i);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s", err.text);
    scratch_close(s);
    return size;
}

static void a_part_that_grows_too_large_is_refused(void **state)
{
    uint64_t size = put_until(&(scratch_limits){ .part = WEIR_MIB, .file = UINT64_MAX },
                              "into memory, 1 MiB");

    (void)state; /* of 11 parts */
    assert_in_range(size, WEIR_MIB, 11 * WEIR_MIB);
}

/* What is in no sealed block yet is not in the file. On the way the disk has been looked at. */
static void a_file_that_grows_too_large_is_refused(void **state)
{
    static const scratch_limits limits = { .part = WEIR_GIB, .file = 20 * WEIR_MIB, .free = 1 };
    uint64_t size = put_until(&limits, "more than 20 MiB would have to");

    (void)state;
    assert_in_range(size, limits.file - 4 * WEIR_READBACK_BLOCK, limits.file + 15 * WEIR_READBACK_BLOCK);
}

static void the_last_of_a_disk_is_left_to_others(void **state)
{
    static const scratch_limits limits = { .part = WEIR_GIB, .file = WEIR_GIB, .free = UINT64_MAX };
    uint64_t size = put_until(&limits, "MiB of the disk free");

    (void)state;
    assert_in_range(size, WEIR_READBACK_LOOK, 2 * WEIR_READBACK_LOOK);
}

static void a_full_disk_is_told(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        scratch *s = NULL;
        weir_error err;
        uint32_t i = 0;

        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100000, 100000 }) != 0 ||
            scratch_open(folder, NULL, &s, &err) != WEIR_OK)
            _exit(1);
        while (i < ITEMS && put(s, i, &err) == WEIR_OK)
            i++;
        _exit(i > 1000 && i < ITEMS && strstr(err.text, "write") != NULL ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static weir_status fill(void *context)
{
    scratch *s = NULL;
    weir_status status;
    weir_error err;
    weir_buf out;

    (void)context;
    weir__buf_init(&out, WEIR_READBACK_PART_MAX);
    status = scratch_open(folder, NULL, &s, &err);
    for (uint32_t i = 0; i < 3000 && status == WEIR_OK; i++)
        status = put(s, i, &err);
    if (status == WEIR_OK)
        status = scratch_read(s, 2, &out, &err);
    scratch_close(s);
    weir__buf_clear(&out);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(fill, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_can_be_read_from_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_does_not_fit_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_grows_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_grows_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_of_a_disk_is_left_to_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_runs_out, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
