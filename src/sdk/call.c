/*
 * sdk/call: the functions of weir/call.h.
 *
 * Texts go one way: format → cut → mask → scrub → cut again to what a gRPC status may carry (R-RPC-04). The
 * buffers are inside the call, so that a failure can be told when memory has run out.
 */
#include "sdk/call.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "sdk/document.h"
#include "sdk/log.h"
#include "sys/signal.h"

static const char no_text[] = "a mistake in the connector: it failed with an empty text";
static atomic_bool stopping;

void weir__call_stop_all(void)
{
    atomic_store(&stopping, true);
}

void weir__call_start_all(void)
{
    atomic_store(&stopping, false);
}

bool weir__call_init(weir_call *call, const weir_call_port *port)
{
    weir_arena *arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);

    if (arena == NULL)
        return false;
    memset(call, 0, sizeof *call);
    call->arena = arena;
    if (port != NULL)
        call->port = *port;
    return true;
}

void weir__call_clear(weir_call *call)
{
    weir__mask_remove(&call->mask);
    weir__documents_free(call->documents);
    call->documents = NULL;
    weir__arena_free(call->arena);
    call->arena = NULL;
}

/* Once per process, for the configuration comes with every request. */
static void tell_unknown(const weir_form *form, const weir_settings *settings)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    size_t at = 0;
    const char *name = weir__options_unknown(form, settings, &at);

    if (name == NULL || atomic_flag_test_and_set(&told))
        return;
    for (; name != NULL; name = weir__options_unknown(form, settings, &at))
        weir__log(WEIR_LOG_WARNING,
                  "the configuration's entry '%.200s' is no field of the form and has no effect; --help "
                  "lists the fields",
                  name);
}

weir_status weir__call_configure(weir_call *call, const weir_form *form, const weir_settings *settings)
{
    weir_error err;
    weir_bytes *secrets;
    size_t count;
    weir_status status;

    call->settings = *settings;
    if (weir__options_secrets(form, settings, call->arena, &secrets, &count) != WEIR_OK)
        return weir__call_fail(call, WEIR_FAILED, "out of memory reading the configuration");
    weir__mask_add(&call->mask, secrets, count);
    status = weir__options_parse(form, settings, call->arena, &call->options, &err);
    tell_unknown(form, settings);
    return status == WEIR_OK ? WEIR_OK : weir__call_fail_error(call, &err);
}

/* Formats, masks and scrubs into `out`, which holds `size_max` bytes; returns how many were written. */
static size_t compose(char *out, size_t size_max, const char *format, va_list args)
{
    char formatted[WEIR_ERROR_MESSAGE_SIZE_MAX * 2];
    char masked[WEIR_ERROR_MESSAGE_SIZE_MAX];
    char scrubbed[WEIR_ERROR_MESSAGE_SIZE_MAX * 3];
    weir_bytes text = { formatted, 0 };
    int length = vsnprintf(formatted, sizeof formatted, format, args);
    bool cut = length > 0 && (size_t)length >= sizeof formatted;
    size_t size;

    if (length > 0)
        text.size = cut ? sizeof formatted - 1 : (size_t)length;
    size = weir__mask_text(text, cut, masked, sizeof masked);
    size = weir__utf8_scrub(masked, size, scrubbed);
    size = weir__utf8_cut(scrubbed, size, size_max);
    memcpy(out, scrubbed, size);
    return size;
}

weir_status weir__call_fail_va(weir_call *call, weir_status status, const char *format, va_list args)
{
    call->failure = status;
    call->text_size = compose(call->text, sizeof call->text - 1, format, args);
    if (call->text_size == 0) { /* somebody has to find out why, and cannot without a text */
        memcpy(call->text, no_text, sizeof no_text - 1);
        call->text_size = sizeof no_text - 1;
    }
    call->text[call->text_size] = '\0';
    return status;
}

weir_status weir__call_fail(weir_call *call, weir_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    weir__call_fail_va(call, status, format, args);
    va_end(args);
    return status;
}

weir_status weir__call_fail_error(weir_call *call, const weir_error *err)
{
    return weir__call_fail(call, err->status, "%s", err->text);
}

/* What a handler returned, against what it said. */
static weir_status settle(weir_call *call, const char *what, unsigned allowed, weir_status status)
{
    if (status == WEIR_OK) {
        if (call->failure == WEIR_FAILED || call->failure == WEIR_TASK)
            weir__log(WEIR_LOG_WARNING, "'%s' of the connector returned WEIR_OK though it had said: %s", what,
                      call->text);
        return WEIR_OK;
    }
    if (status == WEIR_FAILED || status == WEIR_TASK) {
        if (call->failure == WEIR_FAILED || call->failure == WEIR_TASK)
            return call->failure;
        if (call->failure == WEIR_CANCELLED)
            return WEIR_CANCELLED;
        return weir__call_fail(call, status, "'%s' of the connector failed without saying why", what);
    }
    if (status == WEIR_CANCELLED)
        return weir__call_fail(call, status, "'%s' stopped because the request was cancelled", what);
    if (status < 0 && status >= WEIR_UNSUPPORTED && (allowed & WEIR_MAY_RETURN(status)) != 0) {
        if (call->failure != status)
            weir__call_fail(call, status,
                            status == WEIR_NOT_FOUND ? "not found" : "not supported by this connector");
        return status;
    }
    return weir__call_fail(
        call, WEIR_FAILED,
        "a mistake in the connector: '%s' returned the status %d, which means nothing there", what,
        (int)status);
}

weir_status weir__call_run(weir_call *call, const char *what, unsigned allowed, weir_call_body body,
                           void *context)
{
    jmp_buf guard;
    weir_status status = WEIR_FAILED;

    assert(call->guard == NULL);
    weir__signal_thread(); /* a handler that recurses without end leaves a last word, too */
    call->guard = &guard;
    if (setjmp(guard) == 0) {
        status = body(call, context);
    } else {
        status = WEIR_FAILED; /* the text is set */
        call->left = true;
    }
    call->guard = NULL;
    return settle(call, what, allowed, status);
}

static void drop_warning(void *context, weir_bytes text)
{
    (void)context;
    (void)text;
}

void weir__call_hold_words(weir_call *call, weir_call_words *words)
{
    words->failure = call->failure;
    words->text_size = call->text_size;
    words->warnings_size = call->warnings_size;
    words->warn = call->port.warn;
    memcpy(words->text, call->text, call->text_size + 1);
    call->failure = WEIR_OK;
    call->port.warn = drop_warning;
}

void weir__call_restore_words(weir_call *call, const weir_call_words *words)
{
    call->failure = words->failure;
    call->text_size = words->text_size;
    call->warnings_size = words->warnings_size;
    call->port.warn = words->warn;
    memcpy(call->text, words->text, words->text_size + 1);
}

/* Leaves the handler: memory has run out, and weir_alloc promises never to return NULL. */
static _Noreturn void leave(weir_call *call)
{
    weir__call_fail(
        call, WEIR_FAILED,
        "out of memory: the request took more than %zu MiB of call memory, or the machine has no more",
        WEIR_CALL_MEMORY_MAX / WEIR_MIB);
    assert(call->guard != NULL && "a weir_call is used outside of the handler it was given to");
    longjmp(*call->guard, 1);
}

const void *weir_options(const weir_call *call)
{
    return call->options;
}

const char *weir_config(const weir_call *call, const char *name)
{
    const weir_setting *setting = weir__settings_find(&call->settings, name);

    return setting ? setting->value : NULL;
}

void *weir_session(const weir_call *call)
{
    return call->session;
}

void *weir_alloc(weir_call *call, size_t size)
{
    void *memory = weir__arena_alloc(call->arena, size);

    if (memory == NULL)
        leave(call);
    return memory;
}

const char *weir_printf(weir_call *call, const char *format, ...)
{
    va_list args;
    int length;
    char *text;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = weir__arena_raw(call->arena, length > 0 ? (size_t)length + 1 : 1);
    if (text == NULL)
        leave(call);
    text[0] = '\0';
    if (length > 0) {
        va_start(args, format);
        vsnprintf(text, (size_t)length + 1, format, args);
        va_end(args);
    }
    return text;
}

const char *weir_copy(weir_call *call, const char *text, size_t size)
{
    char *copy = weir__arena_copy(call->arena, text, size);

    if (copy == NULL)
        leave(call);
    return copy;
}

bool weir_running(const weir_call *call)
{
    if (call->port.idle != NULL)
        call->port.idle(call->port.context);
    if (atomic_load_explicit(&stopping, memory_order_relaxed)) {
        ((weir_call *)call)->stopped = true; /* every call is ours and was made writable */
        return false;
    }
    return call->port.running == NULL || call->port.running(call->port.context);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? value : "";
}

const char *weir_account_name(const weir_call *call)
{
    (void)call;
    return environment("FIVETRAN_ACCOUNT_NAME");
}

const char *weir_group_name(const weir_call *call)
{
    (void)call;
    return environment("FIVETRAN_GROUP_NAME");
}

weir_status weir_fail(weir_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    weir__call_fail_va(call, WEIR_FAILED, format, args);
    va_end(args);
    return WEIR_FAILED;
}

weir_status weir_task(weir_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    weir__call_fail_va(call, WEIR_TASK, format, args);
    va_end(args);
    return WEIR_TASK;
}

void weir_warn(weir_call *call, const char *format, ...)
{
    char text[WEIR_ERROR_MESSAGE_SIZE_MAX];
    size_t size;
    size_t gap = call->warnings_size > 0 ? 1 : 0;
    va_list args;

    va_start(args, format);
    size = compose(text, sizeof text, format, args);
    va_end(args);
    if (call->port.warn != NULL) {
        call->port.warn(call->port.context, (weir_bytes){ text, size });
        return;
    }
    if (sizeof call->warnings - call->warnings_size <= gap)
        return;
    if (gap > 0)
        call->warnings[call->warnings_size++] = '\n';
    size = weir__utf8_cut(text, size, sizeof call->warnings - call->warnings_size);
    memcpy(call->warnings + call->warnings_size, text, size);
    call->warnings_size += size;
}

void weir_log_info(weir_call *call, const char *format, ...)
{
    va_list args;

    (void)call;
    va_start(args, format);
    weir__log_va(WEIR_LOG_INFO, format, args);
    va_end(args);
}

void weir_log_warning(weir_call *call, const char *format, ...)
{
    va_list args;

    (void)call;
    va_start(args, format);
    weir__log_va(WEIR_LOG_WARNING, format, args);
    va_end(args);
}

void weir_log_severe(weir_call *call, const char *format, ...)
{
    va_list args;

    (void)call;
    va_start(args, format);
    weir__log_va(WEIR_LOG_SEVERE, format, args);
    va_end(args);
}
