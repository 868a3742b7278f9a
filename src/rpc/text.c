/* rpc/text: see the gRPC over HTTP/2 document for each form. */
#include "rpc/text.h"

#include <stdio.h>
#include <string.h>

const char *weir__rpc_code_name(weir_rpc_code code)
{
    static const char *const names[] = {
        "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED",
    };

    return (size_t)code < sizeof names / sizeof names[0] ? names[code] : "CODE";
}

size_t weir__rpc_percent_encode(weir_bytes text, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = out;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];

        /* HTTP takes blanks at the ends of a value for no part of it, and strict peers refuse them. */
        bool edge = c == ' ' && (i == 0 || i + 1 == text.size);

        if (c >= 0x20 && c <= 0x7E && c != '%' && !edge) {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    return (size_t)(at - out);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t weir__rpc_percent_decode(weir_bytes text, char *out)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        int high = -1;
        int low = -1;

        if (text.data[i] == '%' && text.size - i >= 3) {
            high = hex_digit(text.data[i + 1]);
            low = hex_digit(text.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[size++] = text.data[i];
        }
    }
    return size;
}

int weir__rpc_number(weir_bytes text)
{
    int value = 0;

    if (text.size == 0 || text.size > 9)
        return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static const struct {
    char unit;
    int64_t ns;
} timeout_units[] = {
    { 'n', 1 },
    { 'u', 1000 },
    { 'm', 1000000 },
    { 'S', 1000000000 },
    { 'M', INT64_C(60000000000) },
    { 'H', INT64_C(3600000000000) },
};

#define TIMEOUT_UNIT_COUNT (sizeof timeout_units / sizeof timeout_units[0])
#define TIMEOUT_DIGITS_MAX 8

bool weir__rpc_timeout_parse(weir_bytes text, int64_t *timeout_ns)
{
    int value;

    if (text.size < 2 || text.size > TIMEOUT_DIGITS_MAX + 1)
        return false;
    value = weir__rpc_number((weir_bytes){ text.data, text.size - 1 });
    if (value < 0)
        return false;
    for (size_t i = 0; i < TIMEOUT_UNIT_COUNT; i++) {
        if (timeout_units[i].unit != text.data[text.size - 1])
            continue;
        if (__builtin_mul_overflow((int64_t)value, timeout_units[i].ns, timeout_ns))
            *timeout_ns = INT64_MAX;
        return true;
    }
    return false;
}

void weir__rpc_timeout_format(int64_t timeout_ns, char *out)
{
    size_t i = 0;
    int64_t value = timeout_ns > 0 ? timeout_ns : 0;

    while (value > 99999999 && i + 1 < TIMEOUT_UNIT_COUNT) {
        i++;
        value = timeout_ns / timeout_units[i].ns + (timeout_ns % timeout_units[i].ns != 0);
    }
    snprintf(out, 16, "%d%c", (int)value, timeout_units[i].unit);
}

size_t weir__rpc_base64_encode(weir_bytes bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out;

    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t count = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t group = 0;

        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < count ? (unsigned char)bytes.data[i + j] : 0);
        for (size_t j = 0; j <= count; j++)
            *at++ = digits[group >> (18 - 6 * j) & 63];
    }
    return (size_t)(at - out);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool weir__rpc_base64_decode(weir_bytes text, char *out, size_t *size)
{
    uint32_t group = 0;
    unsigned bits = 0;
    size_t length = text.size;
    size_t done = 0;

    for (int i = 0; i < 2 && length > 0 && text.data[length - 1] == '='; i++)
        length--;
    if (length % 4 == 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = base64_digit(text.data[i]);

        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[done++] = (char)(group >> bits & 0xFF);
        }
    }
    *size = done;
    return true;
}

weir_rpc_code weir__rpc_code_of_http(int http_status)
{
    switch (http_status) {
    case 400:
        return WEIR_RPC_INTERNAL;
    case 401:
        return WEIR_RPC_UNAUTHENTICATED;
    case 403:
        return WEIR_RPC_PERMISSION_DENIED;
    case 404:
        return WEIR_RPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return WEIR_RPC_UNAVAILABLE;
    default:
        return WEIR_RPC_UNKNOWN;
    }
}

weir_rpc_code weir__rpc_code_of_reset(uint32_t error_code)
{
    switch (error_code) {
    case 0x7: /* REFUSED_STREAM */
        return WEIR_RPC_UNAVAILABLE;
    case 0x8: /* CANCEL */
        return WEIR_RPC_CANCELLED;
    case 0xB: /* ENHANCE_YOUR_CALM */
        return WEIR_RPC_RESOURCE_EXHAUSTED;
    case 0xC: /* INADEQUATE_SECURITY */
        return WEIR_RPC_PERMISSION_DENIED;
    default:
        return WEIR_RPC_INTERNAL;
    }
}
