/* Tests that pass, fail, crash, hang and leak: what the runner says of them is checked by runner_check.py. */
#include <weir/testing.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

WEIR_TEST(passes)
{
    const char *path = weir_test_path("a file");
    FILE *file = fopen(path, "w");

    WEIR_REQUIRE(file != NULL);
    fclose(file);
    WEIR_EXPECT(access(path, F_OK) == 0);
    WEIR_EXPECT_EQUAL(weir_test_failures(), 0u);
    WEIR_EXPECT_EQUAL("a", "a");
    WEIR_EXPECT_EQUAL((int64_t)7, 7);
    WEIR_EXPECT_EQUAL(0.5, 0.5);
    WEIR_EXPECT_EQUAL(1 < 2, true);
}

WEIR_TEST(fails_everywhere)
{
    size_t count = 3;
    const char *nothing = NULL;

    WEIR_EXPECT(count == 4);
    WEIR_EXPECT_EQUAL(count, 5u);
    WEIR_EXPECT_EQUAL(-1, 1);
    WEIR_EXPECT_EQUAL("a \"b\"", "c");
    WEIR_EXPECT_EQUAL(nothing, "c");
    WEIR_EXPECT_EQUAL(1.5, 2.5);
    WEIR_REQUIRE(count > 100);
    WEIR_EXPECT(count > 1000); /* not reached */
}

WEIR_TEST(crashes)
{
    raise(SIGSEGV);
}

WEIR_TEST(exits)
{
    exit(3);
}

WEIR_TEST(hangs)
{
    for (;;)
        pause();
}

WEIR_TEST(leaves_a_descriptor)
{
    WEIR_EXPECT(open("/dev/null", O_RDONLY) >= 0);
}

static void say(void *context)
{
    fputs(context, stdout);
}

WEIR_TEST(cleans_up)
{
    weir_test_at_end(say, "second ");
    weir_test_at_end(say, "first ");
}

WEIR_TEST_MAIN()
