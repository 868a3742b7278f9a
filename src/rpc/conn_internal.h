/* rpc/conn_internal: the inside of a connection; shared by conn.c, conn_recv.c and conn_send.c only. */
#ifndef WEIR_RPC_CONN_INTERNAL_H
#define WEIR_RPC_CONN_INTERNAL_H

#include <nghttp2/nghttp2.h>

#include "rpc/conn.h"
#include "rpc/guard.h"

/* A run of bytes to be written, and what keeps it alive. */
typedef struct weir_rpc_part {
    const char *data;
    size_t size;
    weir_rpc_slab *slab; /* a reference */
} weir_rpc_part;

typedef enum weir_rpc_encoding {
    WEIR_RPC_IDENTITY,
    WEIR_RPC_GZIP,
    WEIR_RPC_UNKNOWN_ENCODING
} weir_rpc_encoding;

/* What the header blocks of a stream have said so far. */
typedef struct weir_rpc_head {
    weir_rpc_block block; /* metadata of the current block */
    size_t size;          /* of the current block, decoded */
    size_t count;
    bool overflow;  /* too large or too many */
    bool malformed; /* base64 */
    bool starved;   /* out of memory */
    bool is_grpc;   /* content-type */
    bool is_post;
    bool has_timeout;
    bool bad_timeout;
    bool accepts_gzip;
    weir_rpc_encoding encoding;
    int http_status; /* 0: none seen in the current block */
    int http_final;  /* of the final response */
    int grpc_status; /* -1: none */
    int64_t timeout_ns;
    weir_buf path;
    weir_buf message; /* grpc-message, as it came */
} weir_rpc_head;

struct weir_rpc_stream {
    weir_rpc_conn *conn;
    int32_t id;
    weir_rpc_stream *prev;
    weir_rpc_stream *next;
    weir_rpc_call
        *call; /* a reference; NULL on a server until the headers are whole, and when it was refused */
    weir_rpc_head head;
    bool head_done; /* the first block is whole */
    bool in_end;    /* the peer has ended its side */
    bool in_broken; /* what still comes in is dropped */
    bool answered;  /* a response (server) or request (client) has been submitted */
    bool trailed;   /* server: trailers have been submitted */
    bool deferred;  /* the sender had nothing when asked */
    bool reset;     /* we have submitted RST_STREAM */
    bool unsent;    /* client: the request could not be sent */
    bool dispatched;
    bool stirred; /* on the connection's list of calls to wake after this input */
    weir_rpc_stream *stirred_next;
    const char *plain; /* server: what is left of a plain HTTP body */
    size_t plain_size;
    int plain_status;
};

struct weir_rpc_conn {
    weir_rpc_conn_setup setup;
    nghttp2_session *session;
    char peer[64];
    char authority[300];
    weir_rpc_guard guard;
    int64_t now_ns; /* as last told */
    int64_t born_ns;
    int64_t idle_ns; /* since when there is no stream */
    weir_rpc_stream *streams;
    size_t stream_count;
    weir_rpc_stream *stirred;
    size_t head_size;     /* of the header block being read, decoded */
    weir_rpc_slab *input; /* the slab of the input being read; borrowed */

    weir_rpc_part *parts; /* a queue: parts[first .. first + count) */
    size_t part_first;
    size_t part_count;
    size_t part_capacity;
    size_t out_size;        /* bytes in the parts */
    weir_rpc_slab *control; /* where frame headers and control frames are gathered */

    bool ready; /* SETTINGS received */
    bool goaway_in;
    bool goaway_out;
    bool drain_pinged;  /* the first of two GOAWAYs is out, with a ping behind it */
    int64_t drain_ns;   /* when the second goes out at the latest */
    bool dead;          /* only what is in the parts will be written */
    const char *reason; /* static */
};

/* conn.c */

/* Ends the connection: GOAWAY with the HTTP/2 error code, nothing else any more. `reason` is static. */
void weir__rpc_conn_kill(weir_rpc_conn *conn, uint32_t error_code, const char *reason);
/* Appends to what is to be written; the slab is referenced. False when out of memory. */
bool weir__rpc_conn_append(weir_rpc_conn *conn, const char *data, size_t size,
                           weir_rpc_slab *slab) WEIR_CHECKED;
/* The same with a copy of the bytes. */
bool weir__rpc_conn_append_copy(weir_rpc_conn *conn, const void *data, size_t size) WEIR_CHECKED;
weir_rpc_stream *weir__rpc_stream_new(weir_rpc_conn *conn, int32_t id);
/* Takes it off the connection and lets go of its call. */
void weir__rpc_stream_free(weir_rpc_stream *stream);
/* Has the call's users woken at the end of the input. */
void weir__rpc_stream_stir(weir_rpc_stream *stream);

/* conn_recv.c: the callbacks for what comes in */
void weir__rpc_recv_callbacks(nghttp2_session_callbacks *callbacks);

/* conn_send.c: the callbacks for what goes out, and what to submit */
void weir__rpc_send_callbacks(nghttp2_session_callbacks *callbacks);
/*
 * Server: refuses a stream with a status of HTTP and a line of text (static), once the request is whole, for
 * such a client may not listen earlier; or with a status of gRPC, at once.
 */
void weir__rpc_stream_refuse_http(weir_rpc_stream *stream, int http_status, const char *text);
void weir__rpc_stream_answer_plain(weir_rpc_stream *stream);
void weir__rpc_stream_refuse(weir_rpc_stream *stream, weir_rpc_code code, const char *text);
/* Gives the peer back what may be of the call's flow control. */
void weir__rpc_stream_give_credit(weir_rpc_stream *stream);
/* Sends RST_STREAM once. */
void weir__rpc_stream_reset(weir_rpc_stream *stream, uint32_t error_code);

#endif
