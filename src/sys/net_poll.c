/* sys/net: the poller over epoll, and wake-ups over eventfd. */
#include "sys/net.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/queue.h"
#include "sys/clock.h"

#define EVENT_MAX 64

weir_status weir__poll_open(int *poll, weir_error *err)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0)
        return weir__error(err, "cannot make a poller: %s", strerror(errno));
    *poll = fd;
    return WEIR_OK;
}

static struct epoll_event native_event(unsigned events, void *tag)
{
    struct epoll_event event = { .data.ptr = tag };

    if (events & WEIR_POLL_READ)
        event.events |= EPOLLIN | EPOLLRDHUP;
    if (events & WEIR_POLL_WRITE)
        event.events |= EPOLLOUT;
    return event;
}

weir_status weir__poll_add(int poll, int fd, unsigned events, void *tag, weir_error *err)
{
    struct epoll_event event = native_event(events, tag);

    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0)
        return weir__error(err, "cannot watch a descriptor: %s", strerror(errno));
    return WEIR_OK;
}

void weir__poll_change(int poll, int fd, unsigned events, void *tag)
{
    struct epoll_event event = native_event(events, tag);

    epoll_ctl(poll, EPOLL_CTL_MOD, fd, &event); /* cannot fail for a descriptor that was added */
}

void weir__poll_remove(int poll, int fd)
{
    epoll_ctl(poll, EPOLL_CTL_DEL, fd, NULL);
}

static int wait_ms(int64_t deadline_ns)
{
    int64_t left_ns;

    if (deadline_ns == WEIR_FOREVER)
        return -1;
    left_ns = deadline_ns > 0 ? deadline_ns - weir__clock_ns() : 0;
    if (left_ns <= 0)
        return 0;
    /* Rounded up, or the last millisecond would be spent spinning. */
    left_ns = (left_ns + 999999) / 1000000;
    return left_ns < 3600000 ? (int)left_ns : 3600000;
}

size_t weir__poll_wait(int poll, weir_poll_event *events, size_t max, int64_t deadline_ns)
{
    struct epoll_event native[EVENT_MAX];
    int count;

    count = epoll_wait(poll, native, max < EVENT_MAX ? (int)max : EVENT_MAX, wait_ms(deadline_ns));
    if (count < 0)
        return 0; /* EINTR: the caller looks at its clock and waits again */
    for (int i = 0; i < count; i++) {
        events[i] = (weir_poll_event){ .tag = native[i].data.ptr };
        if (native[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            events[i].events |= WEIR_POLL_READ;
        if (native[i].events & (EPOLLOUT | EPOLLERR))
            events[i].events |= WEIR_POLL_WRITE;
    }
    return (size_t)count;
}

weir_status weir__wake_open(int *fd, weir_error *err)
{
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (made < 0)
        return weir__error(err, "cannot make an event descriptor: %s", strerror(errno));
    *fd = made;
    return WEIR_OK;
}

void weir__wake_signal(int fd)
{
    static const uint64_t one = 1;
    int saved = errno; /* a signal handler must leave it alone */
    ssize_t sent;

    do {
        sent = write(fd, &one, sizeof one);
    } while (sent < 0 && errno == EINTR);
    errno = saved;
}

void weir__wake_clear(int fd)
{
    uint64_t count;
    ssize_t got;

    do {
        got = read(fd, &count, sizeof count);
    } while (got < 0 && errno == EINTR);
}
