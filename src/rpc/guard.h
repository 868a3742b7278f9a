/*
 * rpc/guard: counts a peer's frames and says when it floods; limits in rpc_limits.h.
 *
 * Reads frame headers off the byte stream by itself, so it needs no HTTP/2 library and sees frames of every sort, unknown
 * ones too. Pure: the time is given. One thread.
 */
#ifndef WEIR_RPC_GUARD_H
#define WEIR_RPC_GUARD_H

#include <weir/base.h>

typedef struct weir_rpc_bucket {
    int64_t tokens_milli; /* thousandths of a frame */
    int64_t filled_ns;    /* when tokens were last added */
} weir_rpc_bucket;

/* What is counted. */
typedef enum weir_rpc_flood {
    WEIR_RPC_FLOOD_RESET,
    WEIR_RPC_FLOOD_PING,
    WEIR_RPC_FLOOD_SETTINGS,
    WEIR_RPC_FLOOD_EMPTY,
    WEIR_RPC_FLOOD_WINDOW,
    WEIR_RPC_FLOOD_GLITCH,
    WEIR_RPC_FLOOD_COUNT
} weir_rpc_flood;

typedef struct weir_rpc_guard {
    weir_rpc_bucket buckets[WEIR_RPC_FLOOD_COUNT];
    size_t skip; /* bytes left of what is passed over: the preface, or a frame's payload */
    unsigned char header[9];
    size_t header_size; /* bytes of it that are there */
    const char *reason; /* static; set once a bucket ran dry */
} weir_rpc_guard;

/* `preface_size`: bytes before the first frame (24 on a server). */
void weir__rpc_guard_init(weir_rpc_guard *guard, size_t preface_size, int64_t now_ns);
/* Looks at received bytes. False: a flood; guard->reason says of what. */
bool weir__rpc_guard_input(weir_rpc_guard *guard, const char *data, size_t size, int64_t now_ns);
/* Tells it of a frame that we sent: DATA earns the peer credit, RST_STREAM counts like one received. False: a flood. */
bool weir__rpc_guard_sent_data(weir_rpc_guard *guard);
bool weir__rpc_guard_sent_reset(weir_rpc_guard *guard, int64_t now_ns);

#endif
