/* A tree as text: the text that it stands for, or nothing at all when memory or room runs out. */
#include "support.h"

#include "base/alloc.h"
#include "data/json_tree.h"

static int set_up(void **state)
{
    (void)state;
    json_set_alloc_funcs(weir__malloc, weir__free);
    return 0;
}

static weir_status put(void *context)
{
    weir_status status = WEIR_FAILED;
    weir_buf out;

    weir__buf_init(&out, SIZE_MAX);
    if (weir__buf_put_text(&out, "before ")) {
        if (weir__json_put(&out, context, JSON_COMPACT | JSON_SORT_KEYS)) {
            assert_int_equal(out.size, strlen("before {\"akey\":[1,null],\"b\":{}}"));
            assert_memory_equal(out.data, "before {\"akey\":[1,null],\"b\":{}}", out.size);
            status = WEIR_OK;
        } else {
            assert_int_equal(out.size, strlen("before "));
        }
    }
    weir__buf_clear(&out);
    return status;
}

static void test_every_allocation_fails(void **state)
{
    json_t *tree = json_pack("{s:{}, s:[i, n]}", "b", "akey", 1);

    (void)state;
    assert_non_null(tree);
    WEIR_EVERY_FAILURE(put, tree);
    json_decref(tree);
}

static void test_no_room_and_no_value(void **state)
{
    json_t *tree = json_pack("{s:s}", "key", "value");
    weir_buf out;

    (void)state;
    weir__buf_init(&out, strlen("{\"key\":\"value\"}") - 1);
    assert_false(weir__json_put(&out, tree, JSON_COMPACT));
    assert_false(weir__json_put(&out, NULL, JSON_COMPACT));
    assert_int_equal(out.size, 0);
    weir__buf_clear(&out);
    weir__buf_init(&out, strlen("{\"key\":\"value\"}"));
    assert_true(weir__json_put(&out, tree, JSON_COMPACT));
    assert_memory_equal(out.data, "{\"key\":\"value\"}", out.size);
    weir__buf_clear(&out);
    json_decref(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_no_room_and_no_value),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
