/* sdk: what every handler can do: fail, warn, allocate, and what a handler's result means. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "sdk/call.h"
#include "sdk/log.h"

static weir_status run(weir_call *call, unsigned allowed, weir_call_body body, void *context)
{
    return weir__call_run(call, "write", allowed, body, context);
}

static weir_status give(weir_call *call, void *context)
{
    (void)call;
    return *(weir_status *)context;
}

static weir_call *call_new(void)
{
    weir_call *call = malloc(sizeof *call);

    assert_non_null(call);
    assert_true(weir__call_init(call, NULL));
    return call;
}

static void call_free(weir_call *call)
{
    weir__call_clear(call);
    free(call);
}

static void a_result_that_means_nothing_is_the_connectors_mistake(void **state)
{
    const struct {
        weir_status given;
        unsigned allowed;
        weir_status wanted;
        const char *text;
    } cases[] = {
        { WEIR_OK, 0, WEIR_OK, "" },
        { WEIR_FAILED, 0, WEIR_FAILED, "'write' of the connector failed without saying why" },
        { WEIR_TASK, 0, WEIR_TASK, "without saying why" },
        { WEIR_CANCELLED, 0, WEIR_CANCELLED, "cancelled" },
        { WEIR_NOT_FOUND, WEIR_MAY_RETURN(WEIR_NOT_FOUND), WEIR_NOT_FOUND, "not found" },
        { WEIR_NOT_FOUND, 0, WEIR_FAILED, "a mistake in the connector: 'write' returned the status -4" },
        { WEIR_UNSUPPORTED, 0, WEIR_FAILED, "a mistake in the connector" },
        { WEIR_UNSUPPORTED, WEIR_MAY_RETURN(WEIR_UNSUPPORTED), WEIR_UNSUPPORTED, "not supported" },
        { WEIR_ITEM, 0, WEIR_FAILED, "a mistake in the connector" },
        { (weir_status)-77, ~0U, WEIR_FAILED, "a mistake in the connector" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_call *call = call_new();
        weir_status given = cases[i].given;

        assert_int_equal(run(call, cases[i].allowed, give, &given), cases[i].wanted);
        assert_non_null(strstr(call->text, cases[i].text));
        call_free(call);
    }
}

static weir_status task_then_failed(weir_call *call, void *context)
{
    (void)context;
    (void)!weir_task(call, "Ask %s for access.", "the owner");
    return WEIR_FAILED;
}

static weir_status many_words(weir_call *call, void *context)
{
    return weir_fail(call, "%s", (const char *)context);
}

static void the_text_goes_with_the_status_it_was_given_for(void **state)
{
    weir_call *call = call_new();
    char *longest = malloc(30001);

    (void)state;
    assert_int_equal(run(call, 0, task_then_failed, NULL), WEIR_TASK);
    assert_string_equal(call->text, "Ask the owner for access.");
    for (int i = 0; i < 15000; i++)
        memcpy(longest + 2 * i, "\xC3\xA9", 2);
    longest[30000] = '\0';
    assert_int_equal(run(call, 0, many_words, longest + 1), WEIR_FAILED); /* begins with half a character */
    assert_true(call->text_size <= WEIR_ERROR_MESSAGE_SIZE_MAX && call->text_size > 7990);
    assert_true(weir__utf8_valid(call->text, call->text_size));
    assert_memory_equal(call->text, "\xEF\xBF\xBD\xC3\xA9", 5);
    free(longest);
    call_free(call);
}

static weir_status failed_then_well(weir_call *call, void *context)
{
    (void)context;
    (void)!weir_fail(call, "the disk is full");
    return WEIR_OK;
}

/* The status counts, but the text is not lost. */
static void a_failure_that_is_not_returned_is_logged(void **state)
{
    weir_call *call = call_new();
    char line[4096] = "";
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    weir__log_open(fds[1], "sdk_connector");
    assert_int_equal(run(call, 0, failed_then_well, NULL), WEIR_OK);
    assert_true(read(fds[0], line, sizeof line - 1) > 0);
    assert_non_null(strstr(line, "\"WARNING\""));
    assert_non_null(strstr(line, "the disk is full"));
    weir__log_open(STDOUT_FILENO, "sdk_connector");
    close(fds[0]);
    close(fds[1]);
    call_free(call);
}

typedef struct options {
    const char *password;
    const char *user;
} options;

static const weir_form form = WEIR_FORM(options, WEIR_PASSWORD(options, password, .label = "Password"),
                                        WEIR_TEXT(options, user, .required = true));

static weir_status leak(weir_call *call, void *context)
{
    const options *opt = weir_options(call);

    (void)context;
    weir_warn(call, "using %s", opt->password);
    weir_warn(call, "again");
    assert_string_equal(weir_config(call, "user"), "u");
    assert_null(weir_config(call, "nothing"));
    return weir_fail(call, "login %s:%s refused", opt->user, opt->password);
}

static void secrets_do_not_leave_in_texts(void **state)
{
    const weir_setting items[] = { { "password", "geheim", 6 }, { "user", "u", 1 } };
    const weir_settings settings = { items, 2 };
    const weir_settings missing = { items, 1 };
    weir_call *call = call_new();

    (void)state;
    assert_int_equal(weir__call_configure(call, &form, &settings), WEIR_OK);
    assert_int_equal(run(call, 0, leak, NULL), WEIR_FAILED);
    assert_string_equal(call->text, "login u:*** refused");
    assert_int_equal(call->warnings_size, strlen("using ***\nagain"));
    assert_memory_equal(call->warnings, "using ***\nagain", call->warnings_size);
    call_free(call);
    call = call_new();
    assert_int_equal(weir__call_configure(call, &form, &missing), WEIR_TASK);
    assert_string_equal(call->text, "'user' (user) is missing. Fill it in.");
    call_free(call);
}

typedef struct file_options {
    weir_bytes file;
} file_options;

static const weir_form file_form = WEIR_FORM(file_options, WEIR_UPLOAD(file_options, file));

/* A secret at the place where a text is cut must not show its beginning (R-RPC-04, R-RPC-09). */
static void a_cut_does_not_cut_a_secret(void **state)
{
    const weir_setting item = { "file", "c2VjcmV0LWxpbmUtb2YtYS1rZXkKbGluZSB0d28=", 40 };
    const weir_settings settings = { &item, 1 };
    char text[WEIR_ERROR_MESSAGE_SIZE_MAX + 100];

    (void)state;
    for (size_t before = WEIR_ERROR_MESSAGE_SIZE_MAX - 40; before <= WEIR_ERROR_MESSAGE_SIZE_MAX; before++) {
        weir_call *call = call_new();
        const file_options *opt;

        assert_int_equal(weir__call_configure(call, &file_form, &settings), WEIR_OK);
        opt = weir_options(call);
        assert_string_equal(opt->file.data, "secret-line-of-a-key\nline two");
        memset(text, 'x', before);
        snprintf(text + before, sizeof text - before, " %s", before % 2 ? opt->file.data : item.value);
        if (before % 3 == 0) /* a line of it alone is a secret, too */
            *(strchr(text, '\n') ? strchr(text, '\n') : text) = ' ';
        assert_int_equal(run(call, 0, many_words, text), WEIR_FAILED);
        assert_true(call->text_size <= WEIR_ERROR_MESSAGE_SIZE_MAX);
        assert_null(strstr(call->text, "se"));
        assert_null(strstr(call->text, "c2"));
        assert_true(call->text_size >= before);
        call_free(call);
    }
}

static weir_status nothing_to_say(weir_call *call, void *context)
{
    return weir_task(call, "%s", (const char *)context);
}

static void an_empty_text_is_the_connectors_mistake(void **state)
{
    weir_call *call = call_new();

    (void)state;
    assert_int_equal(run(call, 0, nothing_to_say, ""), WEIR_TASK);
    assert_string_equal(call->text, "a mistake in the connector: it failed with an empty text");
    call_free(call);
}

static weir_status take_too_much(weir_call *call, void *context)
{
    memcpy(weir_alloc(call, 100), "x", 1);
    assert_string_equal(weir_printf(call, "%d-%s", 5, "x"), "5-x");
    assert_string_equal(weir_copy(call, "abcdef", 3), "abc");
    ++*(int *)context;
    weir_alloc(call, WEIR_CALL_MEMORY_MAX);
    ++*(int *)context;
    return WEIR_OK;
}

static void out_of_memory_leaves_the_handler(void **state)
{
    weir_call *call = call_new();
    int steps = 0;

    (void)state;
    assert_int_equal(run(call, 0, take_too_much, &steps), WEIR_FAILED);
    assert_int_equal(steps, 1);
    assert_non_null(strstr(call->text, "out of memory"));
    call_free(call);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void running_ends_with_the_peer_or_the_process(void **state)
{
    weir_call_port gone = { .running = never };
    weir_call *call = call_new();

    (void)state;
    assert_true(weir_running(call));
    assert_false(call->stopped);
    weir__call_stop_all();
    assert_false(weir_running(call));
    assert_true(call->stopped);
    weir__call_start_all();
    weir__call_clear(call);
    assert_true(weir__call_init(call, &gone));
    assert_false(weir_running(call));
    assert_false(call->stopped);
    call_free(call);
}

static void warnings_stay_within_what_a_reply_may_hold(void **state)
{
    weir_call *call = call_new();

    (void)state;
    for (int i = 0; i < 2000; i++)
        weir_warn(call, "warning number %d \xC3\xA9", i);
    assert_true(call->warnings_size <= sizeof call->warnings);
    assert_true(weir__utf8_valid(call->warnings, call->warnings_size));
    assert_memory_equal(call->warnings, "warning number 0 \xC3\xA9\nwarning number 1 ", 36);
    call_free(call);
}

static weir_status configure(void *context)
{
    const weir_setting items[] = { { "password", "p", 1 }, { "user", "u", 1 } };
    const weir_settings settings = { items, 2 };
    weir_call *call = context;
    weir_status status = WEIR_FAILED;

    if (!weir__call_init(call, NULL))
        return WEIR_FAILED;
    status = weir__call_configure(call, &form, &settings);
    if (status == WEIR_OK) {
        int steps = 0;

        (void)!run(call, 0, take_too_much, &steps);
        status = steps == 1 ? WEIR_OK : WEIR_FAILED;
    }
    weir__call_clear(call);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    weir_call *call = malloc(sizeof *call);

    (void)state;
    WEIR_EVERY_FAILURE(configure, call);
    free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_that_means_nothing_is_the_connectors_mistake),
        cmocka_unit_test(the_text_goes_with_the_status_it_was_given_for),
        cmocka_unit_test(a_failure_that_is_not_returned_is_logged),
        cmocka_unit_test(secrets_do_not_leave_in_texts),
        cmocka_unit_test(a_cut_does_not_cut_a_secret),
        cmocka_unit_test(an_empty_text_is_the_connectors_mistake),
        cmocka_unit_test(out_of_memory_leaves_the_handler),
        cmocka_unit_test(running_ends_with_the_peer_or_the_process),
        cmocka_unit_test(warnings_stay_within_what_a_reply_may_hold),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
