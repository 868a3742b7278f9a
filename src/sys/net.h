/*
 * sys/net: sockets that do not block, the poller, and a wake-up between threads; no other socket calls
 * exist.
 *
 * Descriptors are plain ints, owned by the caller, closed with weir__net_close; all are close-on-exec and
 * non-blocking. An interrupted call is repeated here. Nothing here waits but weir__poll_wait and
 * weir__net_resolve.
 */
#ifndef WEIR_SYS_NET_H
#define WEIR_SYS_NET_H

#include <sys/uio.h>

#include "base/error.h"

/* Where to connect to, parsed. */
typedef struct weir_net_target {
    bool local;     /* a Unix socket */
    char host[256]; /* without brackets */
    int port;
    char path[108];
    char text[300]; /* for messages and as :authority */
} weir_net_target;

/* One address to connect to; opaque. */
typedef struct weir_net_address {
    uint32_t size;
    union {
        char bytes[128];
        uint64_t align;
    } as;
} weir_net_address;

/* Parses "HOST:PORT", "[v6]:PORT" or "unix:PATH". */
weir_status weir__net_parse(const char *text, weir_net_target *out, weir_error *err) WEIR_CHECKED;
/* The addresses of a target, at most `max`. Numeric hosts and "localhost" do not wait for a name server. */
weir_status weir__net_resolve(const weir_net_target *target, weir_net_address *out, size_t max, size_t *count,
                              weir_error *err) WEIR_CHECKED;
/* Begins to connect. WEIR_OK: connected; WEIR_ITEM: poll for writing, then ask weir__net_connect_result. */
weir_status weir__net_connect(const weir_net_address *address, int *fd, weir_error *err) WEIR_CHECKED;
weir_status weir__net_connect_result(int fd, weir_error *err) WEIR_CHECKED;

/* Listens on TCP as weir_rpc_server_options.host and .port say; *fds takes up to 2, *port the one bound. */
weir_status weir__net_listen(const char *host, int *port, int fds[2], size_t *count,
                             weir_error *err) WEIR_CHECKED;
/*
 * Listens on a Unix socket of mode 0600. A socket file that nobody listens on is replaced; a live one, or a
 * file that is no socket, is a failure.
 */
weir_status weir__net_listen_local(const char *path, int *fd, weir_error *err) WEIR_CHECKED;
/* Removes the socket file, if it is one. */
void weir__net_unlink_local(const char *path);

typedef enum weir_net_accept {
    WEIR_NET_ACCEPTED,
    WEIR_NET_NONE,   /* nobody waits */
    WEIR_NET_STARVED /* no descriptor or memory: stop polling the listener for a while, or it spins */
} weir_net_accept;

/* Accepts one connection; `peer` receives its address as text (size >= 64). */
weir_net_accept weir__net_accept(int listener, int *fd, char *peer, size_t peer_size);

#define WEIR_NET_AGAIN (-1) /* nothing now: poll */
#define WEIR_NET_LOST (-2)  /* the connection is broken */
/* Bytes moved (0 from read: the peer has finished), or one of the above. */
ptrdiff_t weir__net_read(int fd, void *data, size_t size);
ptrdiff_t weir__net_write(int fd, const struct iovec *parts, size_t count);
/* Says that nothing more will be written; the peer can still read what was. */
void weir__net_finish(int fd);
/* Two connected sockets; for tests. */
weir_status weir__net_pair(int fds[2], weir_error *err) WEIR_CHECKED;
void weir__net_close(int fd); /* accepts -1 */

/* --- poller --- */

#define WEIR_POLL_READ 1U
#define WEIR_POLL_WRITE 2U

typedef struct weir_poll_event {
    void *tag;       /* as given to weir__poll_set */
    unsigned events; /* READ is also set on errors and hang-ups, so that the read reports them */
} weir_poll_event;

weir_status weir__poll_open(int *poll, weir_error *err) WEIR_CHECKED; /* close with weir__net_close */
/* Watches `fd` for `events` from now on (level-triggered); 0 keeps it registered but silent. */
weir_status weir__poll_add(int poll, int fd, unsigned events, void *tag, weir_error *err) WEIR_CHECKED;
void weir__poll_change(int poll, int fd, unsigned events, void *tag);
void weir__poll_remove(int poll, int fd);
/* Waits at most until `deadline_ns` (WEIR_FOREVER: no end; 0: not at all). Returns the count of events. */
size_t weir__poll_wait(int poll, weir_poll_event *events, size_t max, int64_t deadline_ns);

/* --- wake-up --- */

weir_status weir__wake_open(int *fd, weir_error *err) WEIR_CHECKED; /* poll it for reading */
void weir__wake_signal(int fd);                                     /* any thread, also in a signal handler */
void weir__wake_clear(int fd);

#endif
