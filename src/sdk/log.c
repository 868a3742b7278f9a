/* sdk/log: format → cut → mask → escape → one write, in buffers that are there from the start. */
#include "sdk/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "sdk/mask.h"
#include "sys/console.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = 1;
static const char *log_origin = "sdk_connector";
/* Guarded by the lock. */
static char formatted[WEIR_LOG_TEXT_SIZE_MAX + 1];
static char masked[WEIR_LOG_TEXT_SIZE_MAX];
static char line[WEIR_LOG_LINE_SIZE(WEIR_LOG_TEXT_SIZE_MAX)];

void weir__log_open(int fd, const char *origin)
{
    pthread_mutex_lock(&lock);
    log_fd = fd;
    log_origin = origin;
    pthread_mutex_unlock(&lock);
}

static char *put(char *at, const char *text)
{
    size_t size = strlen(text);

    memcpy(at, text, size);
    return at + size;
}

/* One byte of well-formed UTF-8 as it stands in a JSON string. */
static char *put_escaped(char *at, char byte)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char code = (unsigned char)byte;

    if (byte == '"' || byte == '\\') {
        *at++ = '\\';
        *at++ = byte;
        return at;
    }
    if (byte == '\n')
        return put(at, "\\n");
    if (code >= 0x20) {
        *at++ = byte;
        return at;
    }
    at = put(at, "\\u00");
    *at++ = hex[code >> 4];
    *at++ = hex[code & 15];
    return at;
}

/*
 * Characters that JSON allows but that some readers take for the end of a line: NEL, LINE and PARAGRAPH
 * SEPARATOR. Writes the escape and returns the character's size; 0 for others.
 */
static size_t put_line_end(char **at, const char *text, size_t size)
{
    if (size >= 2 && memcmp(text, "\xC2\x85", 2) == 0) {
        *at = put(*at, "\\u0085");
        return 2;
    }
    if (size >= 3 && memcmp(text, "\xE2\x80", 2) == 0 && (text[2] == '\xA8' || text[2] == '\xA9')) {
        *at = put(*at, text[2] == '\xA8' ? "\\u2028" : "\\u2029");
        return 3;
    }
    return 0;
}

static const char *level_name(weir_log_level level)
{
    return level == WEIR_LOG_INFO ? "INFO" : level == WEIR_LOG_WARNING ? "WARNING" : "SEVERE";
}

size_t weir__log_line(weir_log_level level, const char *origin, weir_bytes text, char *out)
{
    char *at = put(put(put(out, "{\"level\":\""), level_name(level)), "\",\"message\":\"");
    size_t done = 0;

    while (done < text.size) {
        size_t good = weir__utf8_prefix(text.data + done, text.size - done);

        for (size_t i = 0; i < good;) {
            size_t special = put_line_end(&at, text.data + done + i, good - i);

            if (special == 0)
                at = put_escaped(at, text.data[done + i]);
            i += special > 0 ? special : 1;
        }
        done += good;
        if (done < text.size) {
            at = put(at, "\xEF\xBF\xBD");
            done++;
        }
    }
    at = put(put(put(at, "\",\"message-origin\":\""), origin), "\"}\n");
    return (size_t)(at - out);
}

void weir__log_va(weir_log_level level, const char *format, va_list args)
{
    weir_bytes text = { formatted, 0 };
    bool cut = false;
    int length;
    size_t size;

    pthread_mutex_lock(&lock);
    length = vsnprintf(formatted, sizeof formatted, format, args);
    if (length > 0)
        text.size = (size_t)length;
    if (text.size >= sizeof formatted) {
        text.size = weir__utf8_cut(formatted, sizeof formatted - 1, sizeof formatted - 1);
        cut = true;
    }
    text.size = weir__mask_text(text, cut, masked, sizeof masked);
    text.data = masked;
    size = weir__log_line(level, log_origin, text, line);
    (void)weir__console_write(log_fd, line, size);
    pthread_mutex_unlock(&lock);
}

void weir__log(weir_log_level level, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    weir__log_va(level, format, args);
    va_end(args);
}
