/* sys/console: whole texts to standard output and the like. Any thread; lines over 4 KiB may mix. */
#ifndef WEIR_SYS_CONSOLE_H
#define WEIR_SYS_CONSOLE_H

#include <weir/base.h>

#include "base/buf.h"
#include "base/error.h"

/* Writes all of it, waiting when a pipe is full. False when the reader is gone; nobody is left to be told. */
bool weir__console_write(int fd, const char *text, size_t size);
/* True when somebody sits in front of it; its width in columns, 80 when unknown. */
bool weir__console_is_terminal(int fd);
int weir__console_width(int fd);
/*
 * Writes `prompt` to standard error and appends the line that is then typed on standard input, without its
 * line break, to `out`. `secret`: on a terminal the line is not shown. WEIR_NOT_FOUND: the input has ended.
 * One thread at a time.
 */
weir_status weir__console_ask(const char *prompt, bool secret, weir_buf *out, weir_error *err) WEIR_CHECKED;

#endif
