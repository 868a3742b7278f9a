/* base: arena, buffer, map, UTF-8 and queue, each also with every allocation failing in turn. */
#include "support.h"

#include <pthread.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/queue.h"
#include "base/utf8.h"

static void count_up(void *subject)
{
    ++*(int *)subject;
}

static void arena_hands_out_zeroed_aligned_memory_and_runs_hooks(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    int hooks = 0;

    (void)state;
    assert_true(weir__arena_at_reset(arena, count_up, &hooks));
    for (int i = 1; i < 200; i++) {
        char *raw = weir__arena_raw(arena, (size_t)i);
        char *at = weir__arena_alloc(arena, (size_t)i);

        memset(raw, 0xFF, (size_t)i);
        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        for (int j = 0; j < i; j++)
            assert_int_equal(at[j], 0);
    }
    assert_string_equal(weir__arena_printf(arena, "%s-%d", "a", 7), "a-7");
    assert_null(weir__arena_alloc(arena, 1 << 20));
    weir__arena_reset(arena);
    assert_int_equal(hooks, 1);
    assert_int_equal(weir__arena_used(arena), 0);
    assert_non_null(weir__arena_alloc(arena, 1 << 20));
    weir__arena_free(arena);
    assert_int_equal(hooks, 1);
}

static void buffer_stops_at_its_maximum(void **state)
{
    weir_buf buf;

    (void)state;
    weir__buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++)
        assert_true(weir__buf_put(&buf, "0123456789", 10));
    assert_false(weir__buf_put(&buf, "x", 1));
    assert_int_equal(buf.size, 1000);
    buf.size = 5;
    assert_true(weir__buf_printf(&buf, "%03d", 42));
    assert_int_equal(buf.size, 8);
    assert_memory_equal(buf.data, "01234042", 8);
    weir__buf_clear(&buf);
}

static weir_status map_scenario(void *context)
{
    char(*names)[16] = context;
    weir_status status = WEIR_OK;
    weir_map map;

    weir__map_init(&map, 1);
    for (int i = 0; i < 100; i++)
        if (!weir__map_put(&map, weir__text(names[i]), names[i]))
            status = WEIR_FAILED;
    for (size_t i = 0; i < map.count; i++)
        assert_ptr_equal(weir__map_get(&map, map.entries[i].key), map.entries[i].value);
    weir__map_clear(&map);
    return status;
}

static void map_finds_what_it_was_given_in_order(void **state)
{
    static char names[100][16];
    weir_map map;

    (void)state;
    weir__map_init(&map, 7);
    assert_null(weir__map_get(&map, weir__text("name0")));
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "name%d", i);
        assert_true(weir__map_put(&map, weir__text(names[i]), names[i]));
    }
    assert_true(weir__map_put(&map, weir__text("name3"), names[99]));
    assert_int_equal(map.count, 100);
    assert_ptr_equal(weir__map_get(&map, weir__text("name3")), names[99]);
    assert_null(weir__map_get(&map, weir__text("name100")));
    assert_string_equal(map.entries[42].key.data, "name42");
    weir__map_clear(&map);
    WEIR_EVERY_FAILURE(map_scenario, names);
}

static void utf8_is_strict_and_cut_on_characters(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        { "", true },
        { "plain ascii, longer than eight", true },
        { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", true },
        { "\xC0\x80", false },
        { "\xED\xA0\x80", false },
        { "\xF4\x90\x80\x80", false },
        { "\xF5\x80\x80\x80", false },
        { "\xE2\x82", false },
        { "\x80", false },
        { "12345678\xFF", false },
    };
    char out[16];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(weir__utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_int_equal(weir__utf8_cut("a\xE2\x82\xAC", 4, 3), 1);
    assert_int_equal(weir__utf8_cut("a\xE2\x82\xAC", 4, 4), 4);
    assert_int_equal(weir__utf8_cut("abc", 3, 2), 2);
    assert_int_equal(weir__utf8_scrub("a\xFFz", 3, out), 5);
    assert_memory_equal(out, "a\xEF\xBF\xBDz", 5);
}

static void error_text_is_cut_on_a_character(void **state)
{
    static char text[WEIR_ERROR_TEXT_SIZE + 100];
    weir_error err;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    memcpy(text + WEIR_ERROR_TEXT_SIZE - 2, "\xC3\xA9", 2);
    assert_int_equal(weir__error_as(&err, WEIR_TASK, "%s", text), WEIR_TASK);
    assert_int_equal(strlen(err.text), WEIR_ERROR_TEXT_SIZE - 2);
    weir__error(&err, "no such file");
    assert_int_equal(weir__error_prefix(&err, "open '%s'", "x"), WEIR_FAILED);
    assert_string_equal(err.text, "open 'x': no such file");
}

static void *produce(void *context)
{
    static int items[1000];

    for (int i = 0; i < 1000; i++) {
        items[i] = i;
        if (weir__queue_push(context, &items[i], 10, WEIR_FOREVER) != WEIR_OK)
            break;
    }
    weir__queue_finish(context);
    return NULL;
}

static void queue_keeps_order_and_its_bound(void **state)
{
    weir_queue *queue = weir__queue_new(50);
    pthread_t producer;
    void *item;
    int expected = 0;

    (void)state;
    assert_int_equal(pthread_create(&producer, NULL, produce, queue), 0);
    while (weir__queue_pop(queue, &item, WEIR_FOREVER) == WEIR_ITEM)
        assert_int_equal(*(int *)item, expected++);
    pthread_join(producer, NULL);
    assert_int_equal(expected, 1000);
    assert_true(weir__queue_weight_peak(queue) <= 50);
    weir__queue_free(queue, NULL);
}

static void queue_waits_end_at_the_deadline_and_at_close(void **state)
{
    weir_queue *queue = weir__queue_new(1);
    int one = 1;
    void *item;

    (void)state;
    assert_int_equal(weir__queue_pop(queue, &item, 0), WEIR_FAILED);
    assert_int_equal(weir__queue_push(queue, &one, 5, 0), WEIR_OK); /* too heavy, but the queue was empty */
    assert_int_equal(weir__queue_push(queue, &one, 1, 0), WEIR_FAILED);
    weir__queue_close(queue);
    assert_int_equal(weir__queue_push(queue, &one, 1, WEIR_FOREVER), WEIR_CANCELLED);
    assert_int_equal(weir__queue_pop(queue, &item, WEIR_FOREVER), WEIR_CANCELLED);
    weir__queue_free(queue, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_hands_out_zeroed_aligned_memory_and_runs_hooks),
        cmocka_unit_test(buffer_stops_at_its_maximum),
        cmocka_unit_test(map_finds_what_it_was_given_in_order),
        cmocka_unit_test(utf8_is_strict_and_cut_on_characters),
        cmocka_unit_test(error_text_is_cut_on_a_character),
        cmocka_unit_test(queue_keeps_order_and_its_bound),
        cmocka_unit_test(queue_waits_end_at_the_deadline_and_at_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
