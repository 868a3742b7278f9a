/* sys/console: write(2) until all is written; standard output may be a pipe, and non-blocking. */
#include "sys/console.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool weir__console_write(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);

        if (written > 0) {
            text += written;
            size -= (size_t)written;
        } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd wait = { .fd = fd, .events = POLLOUT };

            (void)poll(&wait, 1, 1000);
        } else if (written < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool weir__console_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

int weir__console_width(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? (int)size.ws_col : 80;
}

/* One line, byte by byte: what comes after it belongs to the next question. */
static weir_status read_line(weir_buf *out, weir_error *err)
{
    size_t before = out->size;
    char c;

    for (;;) {
        ssize_t got = read(STDIN_FILENO, &c, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return weir__error(err, "read from the console: %s", strerror(errno));
        if (got == 0)
            return out->size > before ? WEIR_OK
                                      : weir__error_as(err, WEIR_NOT_FOUND, "the console's input has ended");
        if (c == '\n')
            break;
        if (!weir__buf_put(out, &c, 1))
            return weir__error(err, "a line typed on the console is too long");
    }
    if (out->size > before && out->data[out->size - 1] == '\r')
        out->size--;
    return WEIR_OK;
}

weir_status weir__console_ask(const char *prompt, bool secret, weir_buf *out, weir_error *err)
{
    struct termios shown;
    bool hide = secret && tcgetattr(STDIN_FILENO, &shown) == 0;
    weir_status status;

    (void)weir__console_write(STDERR_FILENO, prompt, strlen(prompt));
    if (hide) {
        struct termios hidden = shown;

        hidden.c_lflag &= ~(tcflag_t)ECHO;
        hide = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
    }
    status = read_line(out, err);
    if (hide) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)weir__console_write(STDERR_FILENO, "\n", 1);
    }
    return status;
}
