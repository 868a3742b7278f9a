/*
 * sys/net: sockets over the BSD calls of Linux. Targets and names are in net_resolve.c, so that a program
 * that only listens does not link a resolver; poller and wake-up are in net_poll.c.
 */
#include "sys/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define PART_MAX 64           /* iovecs handed to one writev */
#define BUFFER_SIZE (1 << 20) /* asked for on Unix sockets, whose buffers do not grow by themselves */
#define BIND_ATTEMPT_MAX 16   /* for "localhost" with port 0, where two sockets need the same free port */

void weir__net_close(int fd)
{
    if (fd >= 0)
        close(fd); /* never repeated: on Linux the descriptor is gone even after EINTR */
}

static weir_status listen_on(const struct sockaddr *address, socklen_t size, int *fd, weir_error *err)
{
    static const int on = 1;
    static const int off = 0;
    char text[INET6_ADDRSTRLEN] = "";
    const void *host = address->sa_family == AF_INET6
                           ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                           : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    int port = ntohs(address->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                    : ((const struct sockaddr_in *)address)->sin_port);
    int made = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int saved;

    if (made < 0)
        goto fail;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6) {
        bool any = memcmp(host, &in6addr_any, sizeof in6addr_any) == 0;

        setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, any ? &off : &on, sizeof on);
    }
    if (bind(made, address, size) != 0 || listen(made, BACKLOG) != 0)
        goto fail;
    *fd = made;
    return WEIR_OK;
fail:
    saved = errno; /* the callers try another family by it */
    inet_ntop(address->sa_family, host, text, sizeof text);
    weir__error(err, "cannot listen on '%s' port %d: %s%s", text, port, strerror(saved),
                saved == EADDRINUSE ? ". Choose another port, or stop the program that uses it" : "");
    weir__net_close(made);
    errno = saved;
    return WEIR_FAILED;
}

static weir_status listen_v6(const struct in6_addr *host, int port, int *fd, weir_error *err)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                    .sin6_port = htons((uint16_t)port),
                                    .sin6_addr = *host };

    return listen_on((const struct sockaddr *)&address, sizeof address, fd, err);
}

static weir_status listen_v4(in_addr_t host, int port, int *fd, weir_error *err)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = host };

    return listen_on((const struct sockaddr *)&address, sizeof address, fd, err);
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = { 0 };
    socklen_t size = sizeof address;

    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Both loopback addresses on one port; 127.0.0.1 alone where there is no IPv6. */
static weir_status listen_loopback(int port, int fds[2], size_t *count, weir_error *err)
{
    for (int attempt = 0; attempt < BIND_ATTEMPT_MAX; attempt++) {
        int first;
        int second;

        if (listen_v4(htonl(INADDR_LOOPBACK), port, &first, err) != WEIR_OK)
            return WEIR_FAILED;
        if (listen_v6(&in6addr_loopback, port > 0 ? port : bound_port(first), &second, err) == WEIR_OK) {
            fds[0] = first;
            fds[1] = second;
            *count = 2;
            return WEIR_OK;
        }
        if (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) {
            fds[0] = first;
            *count = 1;
            return WEIR_OK;
        }
        /* The port is taken on IPv6: with a port of the system's choice, try the next. */
        weir__net_close(first);
        if (port > 0)
            return WEIR_FAILED;
    }
    return WEIR_FAILED;
}

weir_status weir__net_listen(const char *host, int *port, int fds[2], size_t *count, weir_error *err)
{
    struct in6_addr v6;
    struct in_addr v4;
    weir_status status;

    if (*port < 0 || *port > 65535)
        return weir__error(err, "cannot listen on port %d: a port is a number from 0 to 65535", *port);
    *count = 0;
    if (host == NULL) {
        /* R-RPC-01: one socket takes both families; IPv4 alone if that is all there is. */
        status = listen_v6(&in6addr_any, *port, &fds[0], err);
        if (status != WEIR_OK && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            status = listen_v4(htonl(INADDR_ANY), *port, &fds[0], err);
        *count = status == WEIR_OK ? 1 : 0;
    } else if (strcmp(host, "localhost") == 0) {
        status = listen_loopback(*port, fds, count, err);
    } else if (inet_pton(AF_INET6, host, &v6) == 1) {
        status = listen_v6(&v6, *port, &fds[0], err);
        *count = status == WEIR_OK ? 1 : 0;
    } else if (inet_pton(AF_INET, host, &v4) == 1) {
        status = listen_v4(v4.s_addr, *port, &fds[0], err);
        *count = status == WEIR_OK ? 1 : 0;
    } else {
        return weir__error(err, "cannot listen on '%s': not a numeric address", host);
    }
    if (status == WEIR_OK)
        *port = bound_port(fds[0]);
    return status;
}

static weir_status local_address(const char *path, struct sockaddr_un *out, weir_error *err)
{
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof out->sun_path)
        return weir__error(err, "cannot use the socket '%s': a socket's path has 1 to %zu bytes", path,
                           sizeof out->sun_path - 1);
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(out->sun_path, path, size + 1);
    return WEIR_OK;
}

/* A socket file is stale when nobody accepts there. False also when it is something else than a socket. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat info;
    int fd;
    bool refused;

    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    refused = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

weir_status weir__net_listen_local(const char *path, int *fd, weir_error *err)
{
    struct sockaddr_un address;
    const struct sockaddr *plain = (const struct sockaddr *)&address;
    int made;

    if (local_address(path, &address, err) != WEIR_OK)
        return WEIR_FAILED;
    made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return weir__error(err, "cannot make a socket for '%s': %s", path, strerror(errno));
    /* On Linux the file takes its mode from the socket, so it is not open to others even for a moment. */
    if (fchmod(made, 0600) != 0)
        goto fail;
    if (bind(made, plain, sizeof address) != 0) {
        if (errno != EADDRINUSE)
            goto fail;
        if (!is_stale(&address)) {
            errno = EADDRINUSE;
            goto fail;
        }
        if (unlink(path) != 0 || bind(made, plain, sizeof address) != 0)
            goto fail;
    }
    if (listen(made, BACKLOG) != 0)
        goto fail;
    *fd = made;
    return WEIR_OK;
fail:
    weir__error(err, "cannot listen on the socket '%s': %s", path,
                errno == EADDRINUSE ? "another server uses it, or the file is no socket. Choose another path"
                                    : strerror(errno));
    close(made);
    return WEIR_FAILED;
}

void weir__net_unlink_local(const char *path)
{
    struct stat info;

    if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode))
        unlink(path);
}

static void tune(int fd, int family)
{
    static const int on = 1;
    static const int size = BUFFER_SIZE;

    if (family == AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void describe(const struct sockaddr_storage *address, char *peer, size_t peer_size)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(peer, peer_size, "[%s]:%d", host, ntohs(v6->sin6_port));
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(peer, peer_size, "%s:%d", host, ntohs(v4->sin_port));
    } else {
        snprintf(peer, peer_size, "unix socket");
    }
}

weir_net_accept weir__net_accept(int listener, int *fd, char *peer, size_t peer_size)
{
    for (;;) {
        struct sockaddr_storage address = { .ss_family = AF_UNIX };
        socklen_t size = sizeof address;
        int made = accept4(listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (made >= 0) {
            tune(made, address.ss_family);
            describe(&address, peer, peer_size);
            *fd = made;
            return WEIR_NET_ACCEPTED;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return WEIR_NET_STARVED;
        /* The rest is EINTR, or a connection that is gone already (ECONNABORTED and kin): try the next. */
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINVAL || errno == EBADF)
            return WEIR_NET_NONE;
    }
}

ptrdiff_t weir__net_read(int fd, void *data, size_t size)
{
    for (;;) {
        ssize_t got = recv(fd, data, size, 0);

        if (got >= 0)
            return got;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return WEIR_NET_AGAIN;
        if (errno != EINTR)
            return WEIR_NET_LOST;
    }
}

ptrdiff_t weir__net_write(int fd, const struct iovec *parts, size_t count)
{
    for (;;) {
        struct msghdr message = { .msg_iov = (struct iovec *)parts,
                                  .msg_iovlen = count < PART_MAX ? count : PART_MAX };
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

        if (sent >= 0)
            return sent;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return WEIR_NET_AGAIN;
        if (errno != EINTR)
            return WEIR_NET_LOST;
    }
}

void weir__net_finish(int fd)
{
    shutdown(fd, SHUT_WR);
}

weir_status weir__net_pair(int fds[2], weir_error *err)
{
    int made[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made) != 0)
        return weir__error(err, "cannot make a pair of sockets: %s", strerror(errno));
    tune(made[0], AF_UNIX);
    tune(made[1], AF_UNIX);
    memcpy(fds, made, sizeof made);
    return WEIR_OK;
}

/* --- connecting --- */

weir_status weir__net_connect(const weir_net_address *address, int *fd, weir_error *err)
{
    struct sockaddr_storage where = { 0 };
    int made;
    int result;

    memcpy(&where, address->as.bytes, address->size);
    made = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return weir__error(err, "socket: %s", strerror(errno));
    tune(made, where.ss_family);
    do {
        result = connect(made, (const struct sockaddr *)&where, address->size);
    } while (result != 0 && errno == EINTR);
    if (result == 0 || errno == EINPROGRESS) {
        *fd = made;
        return result == 0 ? WEIR_OK : WEIR_ITEM;
    }
    weir__error(err, "connect: %s", strerror(errno));
    close(made);
    return WEIR_FAILED;
}

weir_status weir__net_connect_result(int fd, weir_error *err)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error == 0 ? WEIR_OK : weir__error(err, "connect: %s", strerror(error));
}
