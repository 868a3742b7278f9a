/* rpc/link: a connection and its socket: reads, writes, polls. One thread. */
#ifndef WEIR_RPC_LINK_H
#define WEIR_RPC_LINK_H

#include "rpc/conn.h"

typedef struct weir_rpc_link {
    struct weir_rpc_link *next; /* for its holder's list */
    int poll;
    int fd;
    weir_rpc_conn *conn;
    weir_rpc_pool *pool;
    weir_rpc_slab *slab; /* being read into */
    unsigned watched;    /* poll events asked for */
    bool lost;           /* the socket is of no more use */
    bool lingering;      /* only waits for the peer to read our last words */
    int64_t linger_ns;   /* until then at most */
} weir_rpc_link;

/*
 * Takes over the descriptor and the connection; on failure both stay the caller's. The link is the tag of its
 * events.
 */
weir_status weir__rpc_link_open(weir_rpc_link *link, int poll, int fd, weir_rpc_conn *conn,
                                weir_rpc_pool *pool, weir_error *err) WEIR_CHECKED;
/* Frees the connection, whose calls end with `code` and `text`, and closes the socket. */
void weir__rpc_link_close(weir_rpc_link *link, weir_rpc_code code, const char *text);
/* Reads what there is, some at a time so that others get their turn. */
void weir__rpc_link_read(weir_rpc_link *link, int64_t now_ns);
/* Writes what can be written and sets what to poll for. */
void weir__rpc_link_write(weir_rpc_link *link, int64_t now_ns);
/* The link has ended: close it. */
bool weir__rpc_link_is_done(const weir_rpc_link *link, int64_t now_ns);

#endif
