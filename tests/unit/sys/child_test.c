/* A copy of the process: what it says, how it ends, and when it is refused. */
#include "support.h"

#include <pthread.h>
#include <string.h>

#include "sys/child.h"
#include "sys/clock.h"

static int64_t in_ms(int64_t ms)
{
    return weir__clock_ns() + ms * INT64_C(1000000);
}

static int says_hello(void *context, int fd)
{
    if (!weir__child_write(fd, context, strlen(context)))
        return 1;
    return 7;
}

static int dies(void *context, int fd)
{
    (void)context;
    if (!weir__child_write(fd, "last", 4))
        return 1;
    weir__child_die();
}

static int hangs(void *context, int fd)
{
    (void)context;
    (void)fd;
    weir__clock_sleep(INT64_C(600000000000));
    return 0;
}

static void reads_and_waits(void **state)
{
    weir_child *child = NULL;
    weir_process_end end;
    char out[16] = "";
    size_t got = 0;

    (void)state;
    assert_int_equal(weir__child_start(says_hello, (void *)(uintptr_t) "hello", &child, NULL), WEIR_OK);
    assert_int_equal(weir__child_read(child, out, sizeof out, in_ms(5000), &got), WEIR_ITEM);
    assert_int_equal(got, 5);
    assert_memory_equal(out, "hello", 5);
    assert_int_equal(weir__child_read(child, out, sizeof out, in_ms(5000), &got), WEIR_OK);
    assert_true(weir__child_wait(child, in_ms(5000), &end));
    assert_int_equal(end.code, 7);
    assert_int_equal(end.signal, 0);
    weir__child_close(child);
}

static void dies_on_the_spot(void **state)
{
    weir_child *child = NULL;
    weir_process_end end;
    char out[16];
    size_t got = 0;

    (void)state;
    assert_int_equal(weir__child_start(dies, NULL, &child, NULL), WEIR_OK);
    assert_int_equal(weir__child_read(child, out, sizeof out, in_ms(5000), &got), WEIR_ITEM);
    assert_int_equal(got, 4); /* what was written before the end is there */
    assert_true(weir__child_wait(child, in_ms(5000), &end));
    assert_int_equal(end.signal, WEIR_PROCESS_KILL);
    weir__child_close(child);
}

static void is_killed_at_the_deadline(void **state)
{
    weir_child *child = NULL;
    weir_process_end end;
    char out[16];
    size_t got = 0;

    (void)state;
    assert_int_equal(weir__child_start(hangs, NULL, &child, NULL), WEIR_OK);
    assert_int_equal(weir__child_read(child, out, sizeof out, in_ms(20), &got), WEIR_FAILED);
    assert_false(weir__child_wait(child, in_ms(20), &end));
    assert_int_equal(end.signal, WEIR_PROCESS_KILL);
    weir__child_close(child);
}

static void *wait_for_unlock(void *context)
{
    pthread_mutex_lock(context);
    pthread_mutex_unlock(context);
    return NULL;
}

static void refuses_beside_threads(void **state)
{
    pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    weir_child *child = NULL;
    weir_process_end end;
    pthread_t thread;
    weir_error err;

    (void)state;
    pthread_mutex_lock(&held);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_unlock, &held), 0);
    assert_int_equal(weir__child_start(hangs, NULL, &child, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "2 threads"));
    assert_null(child);
    pthread_mutex_unlock(&held);
    pthread_join(thread, NULL);
    assert_int_equal(weir__child_start(says_hello, (void *)(uintptr_t) "", &child, NULL), WEIR_OK);
    assert_true(weir__child_wait(child, in_ms(5000), &end));
    weir__child_close(child);
}

static void names_descriptors(void **state)
{
    char text[256];

    (void)state;
    assert_true(weir__child_descriptor(1, text, sizeof text));
    assert_false(weir__child_descriptor(WEIR_CHILD_DESCRIPTOR_MAX - 1, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_waits),           cmocka_unit_test(dies_on_the_spot),
        cmocka_unit_test(is_killed_at_the_deadline), cmocka_unit_test(refuses_beside_threads),
        cmocka_unit_test(names_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
