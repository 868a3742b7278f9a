/*
 * rpc/guard: counts a peer's frames and says when it floods; limits in rpc_limits.h.
 *
 * Reads frame headers off the byte stream by itself, so it needs no HTTP/2 library and sees frames of every
 * sort, unknown ones too. Pure: the time is given. One thread.
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

#define WEIR_RPC_GAP_COUNT 4 /* runs of stream numbers left out that are remembered, the latest ones */

typedef struct weir_rpc_guard {
    weir_rpc_bucket buckets[WEIR_RPC_FLOOD_COUNT];
    size_t skip; /* bytes left of what is passed over: the preface, or a frame's payload */
    unsigned char header[9];
    size_t header_size; /* bytes of it that are there */
    bool is_server;
    uint32_t stream_last; /* the highest stream that the client has opened */
    struct {
        uint32_t first;
        uint32_t last;
    } gaps[WEIR_RPC_GAP_COUNT];
    size_t gap_count;    /* ever */
    const char *reason;  /* static; set once the peer must go */
    uint32_t error_code; /* of HTTP/2, with the reason */
} weir_rpc_guard;

void weir__rpc_guard_init(weir_rpc_guard *guard, bool is_server, int64_t now_ns);
/*
 * Looks at received bytes. False: a flood, or a stream number below one used before, which nghttp2 lets pass;
 * guard->reason says which.
 */
bool weir__rpc_guard_input(weir_rpc_guard *guard, const char *data, size_t size, int64_t now_ns);
/*
 * Tells it of a frame that we sent: DATA earns the peer credit, RST_STREAM counts like one received. False: a
 * flood.
 */
bool weir__rpc_guard_sent_data(weir_rpc_guard *guard);
bool weir__rpc_guard_sent_reset(weir_rpc_guard *guard, int64_t now_ns);

#endif
