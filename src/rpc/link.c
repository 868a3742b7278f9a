/* rpc/link: between a non-blocking socket and a connection that knows of no socket. */
#include "rpc/link.h"

#include "sys/net.h"

#define READ_ROUNDS 4                 /* reads of up to a slab before others get their turn */
#define READ_SIZE_MIN (64 * WEIR_KIB) /* less room than this, and a new slab is taken */
#define PART_MAX 64
#define LINGER_NS INT64_C(1000000000)

weir_status weir__rpc_link_open(weir_rpc_link *link, int poll, int fd, weir_rpc_conn *conn,
                                weir_rpc_pool *pool, weir_error *err)
{
    if (weir__poll_add(poll, fd, WEIR_POLL_READ, link, err) != WEIR_OK)
        return WEIR_FAILED;
    *link = (weir_rpc_link){ .poll = poll, .fd = fd, .conn = conn, .pool = pool, .watched = WEIR_POLL_READ };
    return WEIR_OK;
}

void weir__rpc_link_close(weir_rpc_link *link, weir_rpc_code code, const char *text)
{
    weir__poll_remove(link->poll, link->fd);
    weir__net_close(link->fd);
    weir__rpc_conn_free(link->conn, code, text);
    weir__rpc_slab_unref(link->slab);
}

/* A slab with room to read into; NULL when out of memory. */
static weir_rpc_slab *reading_slab(weir_rpc_link *link)
{
    weir_rpc_slab *slab = link->slab;

    if (slab != NULL && weir__rpc_slab_is_alone(slab))
        slab->size = 0;
    if (slab != NULL && slab->capacity - slab->size >= READ_SIZE_MIN)
        return slab;
    weir__rpc_slab_unref(slab);
    link->slab = weir__rpc_slab_new(link->pool, WEIR_RPC_SLAB_SIZE);
    return link->slab;
}

void weir__rpc_link_read(weir_rpc_link *link, int64_t now_ns)
{
    for (int round = 0; round < READ_ROUNDS && !weir__rpc_conn_is_clogged(link->conn); round++) {
        weir_rpc_slab *slab = reading_slab(link);
        size_t room;
        ptrdiff_t got;

        if (slab == NULL) {
            link->lost = true;
            return;
        }
        room = slab->capacity - slab->size;
        got = weir__net_read(link->fd, slab->data + slab->size, room);
        if (got == WEIR_NET_AGAIN)
            return;
        if (got <= 0) {
            link->lost = true;
            return;
        }
        if (!link->lingering) {
            const char *data = slab->data + slab->size;

            slab->size += (size_t)got;
            weir__rpc_conn_input(link->conn, slab, (weir_bytes){ data, (size_t)got }, now_ns);
        }
        if ((size_t)got < room)
            return; /* the socket is empty: do not ask again to hear so */
    }
}

static void watch(weir_rpc_link *link, unsigned events)
{
    if (events == link->watched)
        return;
    weir__poll_change(link->poll, link->fd, events, link);
    link->watched = events;
}

void weir__rpc_link_write(weir_rpc_link *link, int64_t now_ns)
{
    struct iovec parts[PART_MAX];
    unsigned events = weir__rpc_conn_is_clogged(link->conn) ? 0 : WEIR_POLL_READ;

    while (!link->lost) {
        size_t count = weir__rpc_conn_output(link->conn, parts, PART_MAX);
        ptrdiff_t sent;

        if (count == 0)
            break;
        sent = weir__net_write(link->fd, parts, count);
        if (sent == WEIR_NET_AGAIN) {
            /* Armed until all is out: nghttp2 does not say that it stopped half-way. */
            events |= WEIR_POLL_WRITE;
            break;
        }
        if (sent < 0)
            link->lost = true;
        else
            weir__rpc_conn_sent(link->conn, (size_t)sent);
    }
    if (link->lost)
        return;
    if (!link->lingering && weir__rpc_conn_is_done(link->conn)) {
        /*
         * Closing with unread input would make the system discard what we wrote last, the GOAWAY that says
         * why.
         */
        weir__net_finish(link->fd);
        link->lingering = true;
        link->linger_ns = now_ns + LINGER_NS;
        events = WEIR_POLL_READ;
    }
    watch(link, events);
}

bool weir__rpc_link_is_done(const weir_rpc_link *link, int64_t now_ns)
{
    if (link->lost)
        return true;
    return link->lingering && now_ns >= link->linger_ns;
}
