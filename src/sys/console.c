/* sys/console: write(2) until all is written; standard output may be a pipe, and non-blocking. */
#include "sys/console.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
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
