/* harness/harness: making, configuring and freeing one; what the last request said. */
#include "harness/harness.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/map.h"
#include "data/base64.h"
#include "sdk/destination.h"
#include "sdk/log.h"
#include "sdk/options.h"
#include "sdk/source.h"
#include "sdk/state.h"
#include "sys/child.h"

_Static_assert(WEIR_SOURCE_METHODS <= WEIR_HARNESS_METHODS_MAX, "a harness has room for every method");
_Static_assert(WEIR_DESTINATION_METHODS <= WEIR_HARNESS_METHODS_MAX, "a harness has room for every method");

static void free_at_end(void *context)
{
    weir_harness *h = context;

    if (!h->gone)
        (weir_harness_free)(h);
    weir__free(h);
}

/* What sources and destinations have in common. */
static weir_harness *make(void)
{
    weir_harness *h = weir__test_memory(weir__calloc(1, sizeof *h));
    weir_error err;

    weir__state_setup();
    h->arena = weir__test_memory(weir__arena_new(WEIR_CALL_MEMORY_MAX));
    weir__buf_init(&h->last.text, WEIR_HARNESS_TEXT_MAX);
    weir__buf_init(&h->message, WEIR_MESSAGE_SIZE_MAX);
    weir__buf_init(&h->log, WEIR_HARNESS_TEXT_MAX);
    weir__buf_init(&h->warnings, WEIR_HARNESS_TEXT_MAX);
    weir__buf_init(&h->shown, WEIR_HARNESS_TEXT_MAX);
    h->log_fd = -1;
    if (weir__child_scratch(&h->log_fd, &err) != WEIR_OK)
        weir__fail_here("%s", err.text);
    weir_test_at_end(free_at_end, h);
    return h;
}

static void check(weir_harness *h, weir_status status, const weir_error *err)
{
    if (status == WEIR_OK)
        return;
    h->broken = true;
    weir__fail_here("%s", err->text);
}

weir_harness *weir__harness_source(const weir_source *source, size_t size, const char *file, int line)
{
    weir_harness *h = make();
    weir_source *copy = &h->definition.source;
    weir_error err;

    weir__at(file, line);
    memcpy(copy, source, size < sizeof *copy ? size : sizeof *copy);
    h->is_source = true;
    check(h, weir__source_check(copy, &err), &err);
    weir__source_connector(copy, &h->connector);
    weir__source_methods(&h->connector, h->methods);
    h->method_count = WEIR_SOURCE_METHODS;
    weir__source_side_new(h);
    return h;
}

weir_harness *weir__harness_destination(const weir_destination *destination, size_t size, const char *file,
                                        int line)
{
    weir_harness *h = make();
    weir_destination *copy = &h->definition.destination;
    weir_error err;

    weir__at(file, line);
    memcpy(copy, destination, size < sizeof *copy ? size : sizeof *copy);
    check(h, weir__destination_check(copy, &err), &err);
    weir__destination_connector(copy, &h->connector);
    weir__destination_methods(&h->connector, h->methods);
    h->method_count = WEIR_DESTINATION_METHODS;
    weir__destination_side_new(h);
    return h;
}

static void forget_configuration(weir_harness *h)
{
    for (size_t i = 0; i < h->configuration_count; i++) {
        weir__free((void *)(uintptr_t)h->configuration[i].key.data);
        weir__free((void *)(uintptr_t)h->configuration[i].value.data);
    }
    weir__free(h->configuration);
    h->configuration = NULL;
    h->configuration_count = 0;
}

static void complain(weir_harness *h)
{
    const weir_outcome *last = &h->last;

    if (last->what == NULL || last->expected || last->status == WEIR_OK)
        return;
    weir__fail_at(last->place, "'%s' %s, and no test looked at it: %s", last->what,
                  last->status == WEIR_TASK          ? "ended with a task"
                  : last->status == WEIR_CANCELLED   ? "was cancelled"
                  : last->status == WEIR_UNSUPPORTED ? "is not supported"
                                                     : "failed",
                  last->text.size > 0 ? last->text.data : "it did not say why");
    h->last.expected = true;
}

void weir_harness_free(weir_harness *h)
{
    if (h == NULL || h->gone)
        return;
    complain(h);
    weir__source_side_free(h);
    weir__destination_side_free(h);
    forget_configuration(h);
    weir__arena_free(h->arena);
    weir__buf_clear(&h->last.text);
    weir__buf_clear(&h->message);
    weir__buf_clear(&h->log);
    weir__buf_clear(&h->warnings);
    weir__buf_clear(&h->shown);
    if (h->log_fd >= 0)
        weir__child_scratch_close(h->log_fd);
    h->gone = true;
}

/* --- configuration --- */

static bool has_field(const weir_form *form, const char *name)
{
    weir_setting setting = { .name = name, .value = "" };
    weir_settings settings = { &setting, 1 };
    size_t at = 0;

    return weir__options_unknown(form, &settings, &at) == NULL;
}

static void put_setting(weir_harness *h, const char *name, const char *value, size_t size)
{
    v2_string_entry entry = { { weir__test_memory(weir__copy_text(name, strlen(name))), strlen(name) },
                              { weir__test_memory(weir__copy_text(value, size)), size } };

    h->configuration = weir__test_memory(
        weir__realloc_array(h->configuration, h->configuration_count + 1, sizeof *h->configuration));
    h->configuration[h->configuration_count++] = entry;
}

void weir_harness_option(weir_harness *h, const char *name, const char *value)
{
    if (!has_field(h->connector.form, name)) {
        weir__fail_here("the form has no field '%s'", name);
        return;
    }
    for (size_t i = 0; i < h->configuration_count; i++) {
        v2_string_entry *entry = &h->configuration[i];

        if (!weir__bytes_equal(entry->key, weir__text(name)))
            continue;
        weir__free((void *)(uintptr_t)entry->key.data);
        weir__free((void *)(uintptr_t)entry->value.data);
        *entry = h->configuration[--h->configuration_count];
        break;
    }
    if (value != NULL)
        put_setting(h, name, value, strlen(value));
}

void weir_harness_upload(weir_harness *h, const char *name, const void *data, size_t size)
{
    char *text = weir__test_memory(weir__malloc(weir__base64_size(size) + 1));

    text[weir__base64_encode(data, size, text)] = '\0';
    (weir_harness_option)(h, name, text);
    weir__free(text);
}

void weir_harness_configuration(weir_harness *h, const char *json)
{
    json_error_t error;
    json_t *object = json_loads(json, 0, &error);
    const char *name;
    json_t *value;

    if (!json_is_object(object)) {
        weir__fail_here("the configuration is no JSON object: %s", object ? "something else" : error.text);
        json_decref(object);
        return;
    }
    forget_configuration(h);
    json_object_foreach(object, name, value)
    {
        if (json_is_string(value))
            put_setting(h, name, json_string_value(value), json_string_length(value));
        else
            weir__fail_here("the configuration's '%s' is no text: a form saves texts only", name);
    }
    json_decref(object);
}

void weir_harness_deadline(weir_harness *h, int64_t ms)
{
    h->deadline_ms = ms;
}

void weir_harness_crash_for_real(weir_harness *h, bool for_real)
{
    h->for_real = for_real;
}

void weir_harness_before_crash(weir_harness *h, void (*function)(void *context), void *context)
{
    h->before_crash = function;
    h->before_crash_context = context;
}

/* --- one request --- */

void weir__harness_again(weir_harness *h, const char *what)
{
    complain(h);
    h->warnings.size = 0;
    h->last.what = what;
    h->last.place = weir__here();
    h->last.expected = true;
    h->last.text.size = 0;
    h->last.status = WEIR_FAILED;
}

bool weir__harness_begin(weir_harness *h, const char *what)
{
    weir__harness_again(h, what);
    weir__arena_reset(h->arena);
    if (!h->broken && !h->gone)
        return true;
    weir__fail_here("'%s' cannot run: %s", what,
                    h->gone ? "the harness was freed" : "the connector's definition is wrong");
    return false;
}

weir_status weir__harness_end(weir_harness *h, weir_status status, const char *text)
{
    const char *said = text ? text : "";

    h->last.status = status;
    h->last.expected = status == WEIR_OK;
    h->last.text.size = 0;
    if (said[0] == '\0' && h->warnings.size > 0) {
        if (!weir__buf_put(&h->last.text, h->warnings.data, h->warnings.size))
            weir__test_no_memory();
    } else if (!weir__buf_put_text(&h->last.text, said)) {
        weir__test_no_memory();
    }
    if (!weir__buf_put(&h->last.text, "", 1))
        weir__test_no_memory();
    return status;
}

void weir__harness_expected(weir_harness *h)
{
    h->last.expected = true;
}

void weir__harness_warn(weir_harness *h, weir_bytes text)
{
    if ((h->warnings.size > 0 && !weir__buf_put_text(&h->warnings, "\n")) ||
        !weir__buf_put(&h->warnings, text.data, text.size))
        weir__test_no_memory();
}

/* --- what it said --- */

weir_status weir_harness_status(weir_harness *h)
{
    h->last.expected = true;
    return h->last.status;
}

const char *weir_harness_text(const weir_harness *h)
{
    return h->last.text.size > 0 ? h->last.text.data : "";
}

static const char *status_words(weir_status status)
{
    switch (status) {
    case WEIR_OK:
        return "went well";
    case WEIR_TASK:
        return "ended with a task";
    case WEIR_CANCELLED:
        return "was cancelled";
    case WEIR_NOT_FOUND:
        return "found nothing";
    case WEIR_UNSUPPORTED:
        return "is not supported";
    default:
        return "failed";
    }
}

static bool expect_status(weir_harness *h, weir_status status, const char *part)
{
    const char *text = weir_harness_text(h);
    bool right = h->last.what != NULL && h->last.status == status;
    bool says = part == NULL || strstr(text, part) != NULL;

    h->last.expected = true;
    if (h->last.what == NULL)
        weir__fail_here("there was no request yet");
    else if (!right)
        weir__fail_here("expected that '%s' %s, but it %s%s%s", h->last.what, status_words(status),
                        status_words(h->last.status), text[0] ? ": " : "", text);
    else if (!says)
        weir__fail_here("'%s' %s as expected, but its text has no \"%s\": %s", h->last.what,
                        status_words(status), part, text);
    return right && says;
}

bool weir_harness_expect_ok(weir_harness *h)
{
    return expect_status(h, WEIR_OK, NULL);
}

bool weir_harness_expect_task(weir_harness *h, const char *part)
{
    return expect_status(h, WEIR_TASK, part);
}

bool weir_harness_expect_failure(weir_harness *h, const char *part)
{
    return expect_status(h, WEIR_FAILED, part);
}

/* The buffer as terminated text. */
static const char *text_of(weir_buf *buf)
{
    char *room = weir__test_memory(weir__buf_reserve(buf, 1));

    *room = '\0';
    return buf->data;
}

bool weir_harness_expect_warning(weir_harness *h, const char *part)
{
    const char *text = text_of(&h->warnings);

    if (strstr(text, part) != NULL)
        return true;
    weir__fail_here("no warning of '%s' has \"%s\"%s%s", h->last.what ? h->last.what : "a request", part,
                    text[0] ? "; there was: " : "; there was none", text);
    return false;
}

const char *weir_harness_log(weir_harness *h)
{
    if (h->log_fd >= 0 && !weir__child_scratch_read(h->log_fd, &h->log_read, &h->log))
        weir__fail_here("the log cannot be read");
    return text_of(&h->log);
}

bool weir_harness_expect_log(weir_harness *h, const char *part)
{
    const char *text = (weir_harness_log)(h);

    if (strstr(text, part) != NULL)
        return true;
    weir__fail_here("no log line has \"%s\"; the log:\n%s", part, text[0] ? text : "(empty)");
    return false;
}

weir_buf *weir__harness_show(weir_harness *h)
{
    h->shown.size = 0;
    return &h->shown;
}

const char *weir__harness_shown(weir_harness *h)
{
    return text_of(&h->shown);
}
