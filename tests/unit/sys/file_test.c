/* sys/file: what is created, opened, replaced, listed, locked and removed, and what is refused. */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"

static char root[64];

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/weir-file-test-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    return weir__folder_remove(root, NULL) != WEIR_OK || access(root, F_OK) == 0;
}

static void write_file(const char *path, const char *text)
{
    weir_file *file = NULL;
    weir_error err;

    assert_int_equal(weir__file_create(path, &file, &err), WEIR_OK);
    assert_int_equal(weir__file_write(file, text, strlen(text), &err), WEIR_OK);
    assert_int_equal(weir__file_sync(file, &err), WEIR_OK);
    weir__file_close(file);
}

static void expect_content(const char *path, const char *text)
{
    weir_buf content;
    weir_error err;

    weir__buf_init(&content, 1 << 20);
    assert_int_equal(weir__file_load(path, &content, &err), WEIR_OK);
    assert_int_equal(content.size, strlen(text));
    assert_memory_equal(content.data ? content.data : "", text, content.size);
    weir__buf_clear(&content);
}

static void files_are_created_for_the_owner_alone(void **state)
{
    const char *path = path_of("new");
    weir_file *file = NULL;
    struct stat info;
    weir_error err;
    uint64_t size;

    (void)state;
    umask(0);
    write_file(path, "content");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    expect_content(path, "content");
    assert_int_equal(weir__file_create(path, &file, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(weir__file_open(path, &file, &err), WEIR_OK);
    assert_int_equal(weir__file_size(file, &size, &err), WEIR_OK);
    assert_int_equal(size, 7);
    assert_string_equal(weir__file_path(file), path);
    weir__file_close(file);
    assert_int_equal(weir__file_link("of", path, &err), WEIR_FAILED); /* in the way of nothing */
    expect_content(path, "content");
    assert_int_equal(weir__file_remove(path, &err), WEIR_OK);
    assert_int_equal(weir__file_remove(path, &err), WEIR_OK);
    assert_int_equal(weir__file_open(path, &file, &err), WEIR_NOT_FOUND);
}

/* What is no regular file, or is reached by a link, is refused at once; a FIFO does not block. */
static void links_and_fifos_are_refused(void **state)
{
    weir_file *file = NULL;
    weir_error err;

    (void)state;
    write_file(path_of("target"), "secret");
    assert_int_equal(symlink(path_of("target"), path_of("link")), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(weir__file_open(path_of("link"), &file, &err), WEIR_FAILED);
    assert_int_equal(weir__file_create(path_of("link"), &file, &err), WEIR_FAILED);
    assert_int_equal(weir__file_open(path_of("fifo"), &file, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_equal(weir__file_open(root, &file, &err), WEIR_FAILED);
    assert_null(file);
}

/* A person's files may be links and devices; only a folder has nothing to read. */
static void what_a_person_names_is_followed(void **state)
{
    weir_file *file = NULL;
    weir_buf content;
    weir_error err;

    (void)state;
    write_file(path_of("target"), "secret");
    assert_int_equal(symlink("target", path_of("link")), 0);
    weir__buf_init(&content, 100);
    assert_int_equal(weir__file_load(path_of("link"), &content, &err), WEIR_OK);
    assert_int_equal(content.size, 6);
    weir__buf_clear(&content);
    assert_int_equal(weir__file_open_named("/dev/null", &file, &err), WEIR_OK);
    weir__file_close(file);
    file = NULL;
    assert_int_equal(weir__file_open_named(root, &file, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "it is a folder"));
    assert_int_equal(weir__file_open_named(path_of("none"), &file, &err), WEIR_NOT_FOUND);
    assert_null(file);
    assert_int_equal(weir__folder_check(root, &err), WEIR_OK);
    assert_int_equal(weir__folder_check(path_of("none"), &err), WEIR_NOT_FOUND);
    assert_int_equal(weir__folder_check(path_of("target"), &err), WEIR_FAILED);
}

static void ports_carry_bytes(void **state)
{
    weir_file *file = NULL;
    weir_output output;
    weir_input input;
    weir_error err;
    char bytes[8];
    size_t got = 0;

    (void)state;
    assert_int_equal(weir__file_create(path_of("port"), &file, &err), WEIR_OK);
    output = weir__file_output(file);
    assert_int_equal(output.write(output.context, "12345", 5, &err), WEIR_OK);
    weir__file_close(file);
    assert_int_equal(weir__file_open(path_of("port"), &file, &err), WEIR_OK);
    input = weir__file_input(file);
    assert_int_equal(input.read(input.context, bytes, 3, &got, &err), WEIR_ITEM);
    assert_int_equal(got, 3);
    assert_int_equal(input.read(input.context, bytes, 8, &got, &err), WEIR_ITEM);
    assert_int_equal(got, 2);
    assert_int_equal(input.read(input.context, bytes, 8, &got, &err), WEIR_OK);
    weir__file_close(file);
}

static void replacing_is_all_or_nothing(void **state)
{
    weir_error err;

    (void)state;
    assert_int_equal(weir__file_replace(path_of("state"), "one", 3, &err), WEIR_OK);
    expect_content(path_of("state"), "one");
    write_file(path_of("state.new"), "left by a crash");
    assert_int_equal(weir__file_replace(path_of("state"), "two", 3, &err), WEIR_OK);
    expect_content(path_of("state"), "two");
    assert_int_equal(access(path_of("state.new"), F_OK), -1);
    assert_int_equal(weir__file_replace(path_of("absent/state"), "x", 1, &err), WEIR_NOT_FOUND);
    write_file(path_of("other"), "other");
    assert_int_equal(weir__file_rename(path_of("other"), path_of("state"), &err), WEIR_OK);
    expect_content(path_of("state"), "other");
    assert_int_equal(weir__file_rename(path_of("other"), path_of("state"), &err), WEIR_NOT_FOUND);
}

static mode_t mode_of(const char *path)
{
    struct stat facts;

    assert_int_equal(lstat(path, &facts), 0);
    return facts.st_mode;
}

/* A file in a repository, which others read and which a link may lead to, stays so. */
static void replacing_keeps_mode_and_link(void **state)
{
    weir_error err;

    (void)state;
    assert_int_equal(weir__file_replace(path_of("plan"), "one", 3, &err), WEIR_OK);
    assert_int_equal(mode_of(path_of("plan")), S_IFREG | 0600);
    assert_int_equal(chmod(path_of("plan"), 0664), 0);
    assert_int_equal(symlink("plan", path_of("link")), 0);
    assert_int_equal(weir__file_replace(path_of("link"), "two", 3, &err), WEIR_OK);
    expect_content(path_of("plan"), "two");
    assert_int_equal(mode_of(path_of("plan")), S_IFREG | 0664);
    assert_true(S_ISLNK(mode_of(path_of("link"))));
}

static void loading_stops_at_the_buffers_maximum(void **state)
{
    weir_buf content;
    weir_error err;

    (void)state;
    write_file(path_of("ten"), "0123456789");
    weir__buf_init(&content, 10);
    assert_int_equal(weir__file_load(path_of("ten"), &content, &err), WEIR_OK);
    assert_int_equal(content.size, 10);
    weir__buf_clear(&content);
    weir__buf_init(&content, 9);
    assert_int_equal(weir__file_load(path_of("ten"), &content, &err), WEIR_FAILED);
    assert_int_equal(content.size, 0);
    weir__buf_clear(&content);
}

/* A write that the kernel cuts short is continued, and the reason for not finishing is told. */
static void failing_writes_are_told(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        struct rlimit limit = { 1000, 1000 };
        static char bytes[4096];
        weir_file *file = NULL;
        weir_error err;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        if (weir__file_create(path_of("limited"), &file, &err) != WEIR_OK)
            _exit(1);
        _exit(weir__file_write(file, bytes, sizeof bytes, &err) == WEIR_FAILED && strstr(err.text, "limited")
                  ? 0
                  : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void folders_are_made_listed_and_removed(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_folder_entry *entries;
    struct stat info;
    weir_error err;
    size_t count;

    (void)state;
    assert_int_equal(weir__folder_create(path_of("a/b/c"), &err), WEIR_OK);
    assert_int_equal(weir__folder_create(path_of("a/b/c/"), &err), WEIR_OK);
    assert_int_equal(stat(path_of("a/b"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    write_file(path_of("a/z"), "12");
    write_file(path_of("a/Y"), "");
    write_file(path_of("kept"), "kept");
    assert_int_equal(symlink(root, path_of("a/b/up")), 0);
    assert_int_equal(weir__folder_create(path_of("a/z"), &err), WEIR_FAILED);
    assert_int_equal(weir__folder_sync(path_of("a"), &err), WEIR_OK);
    assert_int_equal(weir__folder_list(path_of("a"), arena, &entries, &count, &err), WEIR_OK);
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].name, "Y");
    assert_string_equal(entries[1].name, "b");
    assert_true(entries[1].folder && !entries[1].regular);
    assert_string_equal(entries[2].name, "z");
    assert_int_equal(entries[2].size, 2);
    assert_true(entries[2].modified_ns > INT64_C(1500000000000000000));
    assert_int_equal(weir__folder_list(path_of("a/b"), arena, &entries, &count, &err), WEIR_OK);
    assert_false(entries[1].folder); /* a link is not followed */
    assert_int_equal(weir__folder_remove(path_of("a"), &err), WEIR_OK);
    assert_int_equal(access(path_of("a"), F_OK), -1);
    expect_content(path_of("kept"), "kept");
    assert_int_equal(weir__folder_remove(path_of("a"), &err), WEIR_OK);
    assert_int_equal(weir__folder_list(path_of("a"), arena, &entries, &count, &err), WEIR_NOT_FOUND);
    weir__arena_free(arena);
}

static void a_lock_has_one_holder(void **state)
{
    weir_lock *lock = NULL;
    weir_lock *second = NULL;
    weir_error err;
    pid_t child;
    int status;

    (void)state;
    assert_int_equal(weir__lock_take(path_of("lock"), &lock, &err), WEIR_OK);
    assert_int_equal(weir__lock_take(path_of("lock"), &second, &err), WEIR_TASK);
    child = fork();
    if (child == 0)
        _exit(weir__lock_take(path_of("lock"), &second, NULL) == WEIR_TASK ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    weir__lock_release(lock);
    assert_int_equal(weir__lock_take(path_of("lock"), &second, &err), WEIR_OK);
    weir__lock_release(second);
    weir__lock_release(NULL);
}

static weir_status replace_scenario(void *context)
{
    weir_buf content;
    weir_status status = weir__file_replace(context, "text", 4, NULL);

    weir__buf_init(&content, 1000);
    if (status == WEIR_OK)
        status = weir__file_load(context, &content, NULL);
    weir__buf_clear(&content);
    return status;
}

static weir_status list_scenario(void *context)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_folder_entry *entries;
    size_t count;
    weir_status status = arena ? weir__folder_list(context, arena, &entries, &count, NULL) : WEIR_FAILED;

    weir__arena_free(arena);
    return status;
}

static void every_failed_allocation_is_reported(void **state)
{
    char path[256];

    (void)state;
    snprintf(path, sizeof path, "%s/failing", root);
    WEIR_EVERY_FAILURE(replace_scenario, path);
    WEIR_EVERY_FAILURE(list_scenario, root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_created_for_the_owner_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_and_fifos_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_person_names_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ports_carry_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replacing_is_all_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replacing_keeps_mode_and_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loading_stops_at_the_buffers_maximum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failing_writes_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_listed_and_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_has_one_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
