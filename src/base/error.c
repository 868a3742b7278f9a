/* base/error: formatting into the caller's fixed buffer; see error.h for the contract. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void cut(char *text, size_t length)
{
    if (length >= WEIR_ERROR_TEXT_SIZE)
        text[weir__utf8_cut(text, WEIR_ERROR_TEXT_SIZE - 1, WEIR_ERROR_TEXT_SIZE - 1)] = '\0';
}

weir_status weir__error_va(weir_error *err, weir_status status, const char *format, va_list args)
{
    int length;

    if (err == NULL)
        return status;
    err->status = status;
    err->transient = false;
    length = vsnprintf(err->text, sizeof err->text, format, args);
    if (length < 0)
        err->text[0] = '\0';
    else
        cut(err->text, (size_t)length);
    return status;
}

/* In brackets, for error.h tells static analysis about some of these by macros. */
weir_status(weir__error)(weir_error *err, const char *format, ...)
{
    va_list args;
    weir_status status;

    va_start(args, format);
    status = weir__error_va(err, WEIR_FAILED, format, args);
    va_end(args);
    return status;
}

weir_status(weir__error_as)(weir_error *err, weir_status status, const char *format, ...)
{
    va_list args;
    weir_status result;

    va_start(args, format);
    result = weir__error_va(err, status, format, args);
    va_end(args);
    return result;
}

weir_status weir__error_prefix(weir_error *err, const char *format, ...)
{
    char prefix[WEIR_ERROR_TEXT_SIZE];
    char rest[WEIR_ERROR_TEXT_SIZE];
    va_list args;
    int length;

    if (err == NULL)
        return WEIR_FAILED;
    va_start(args, format);
    length = vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    if (length < 0)
        return err->status;
    memcpy(rest, err->text, sizeof rest);
    length = snprintf(err->text, sizeof err->text, "%s: %s", prefix, rest);
    if (length > 0)
        cut(err->text, (size_t)length);
    return err->status;
}

weir_status(weir__error_memory)(weir_error *err, const char *what)
{
    return weir__error(err, "out of memory %s", what);
}
