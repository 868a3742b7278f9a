/*
 * rpc/guard: token buckets over frame headers.
 *
 *      +-----------------+------+-------+-----------+
 *      | length (3)      | type | flags | stream(4) | payload ...
 *      +-----------------+------+-------+-----------+
 */
#include "rpc/guard.h"

#include "rpc/rpc_limits.h"

#define TOKEN 1000 /* one frame, in thousandths */
#define FLAG_END_STREAM 0x1
#define FLAG_ACK 0x1
#define PREFACE_SIZE 24 /* what a client says before its first frame */
#define PROTOCOL_ERROR 0x1
#define ENHANCE_YOUR_CALM 0xB

static const struct {
    int64_t burst;
    int64_t per_second;
    const char *reason;
} rules[WEIR_RPC_FLOOD_COUNT] = {
    [WEIR_RPC_FLOOD_RESET] = { WEIR_RPC_RESET_BURST, WEIR_RPC_RESET_PER_SECOND, "too many stream resets" },
    [WEIR_RPC_FLOOD_PING] = { WEIR_RPC_PING_BURST, WEIR_RPC_PING_PER_SECOND, "too many pings" },
    [WEIR_RPC_FLOOD_SETTINGS] = { WEIR_RPC_SETTINGS_BURST, WEIR_RPC_SETTINGS_PER_SECOND,
                                  "too many settings frames" },
    [WEIR_RPC_FLOOD_EMPTY] = { WEIR_RPC_EMPTY_BURST, WEIR_RPC_EMPTY_PER_SECOND, "too many empty frames" },
    [WEIR_RPC_FLOOD_WINDOW] = { WEIR_RPC_WINDOW_BURST, WEIR_RPC_WINDOW_PER_SECOND,
                                "too many window updates" },
    [WEIR_RPC_FLOOD_GLITCH] = { WEIR_RPC_GLITCH_BURST, WEIR_RPC_GLITCH_PER_SECOND,
                                "too many useless frames" },
};

void weir__rpc_guard_init(weir_rpc_guard *guard, bool is_server, int64_t now_ns)
{
    *guard = (weir_rpc_guard){ .is_server = is_server, .skip = is_server ? PREFACE_SIZE : 0 };
    for (int i = 0; i < WEIR_RPC_FLOOD_COUNT; i++)
        guard->buckets[i] = (weir_rpc_bucket){ .tokens_milli = rules[i].burst * TOKEN, .filled_ns = now_ns };
}

static bool spend(weir_rpc_guard *guard, weir_rpc_flood what, int64_t now_ns)
{
    weir_rpc_bucket *bucket = &guard->buckets[what];
    int64_t passed_us = (now_ns - bucket->filled_ns) / 1000;
    int64_t full = rules[what].burst * TOKEN;

    if (passed_us > 0) {
        int64_t gained = passed_us < 1000000000 ? passed_us * rules[what].per_second / 1000 : full;

        /* The clock only moves when something was gained, or many small steps would add up to nothing. */
        if (gained > 0) {
            bucket->filled_ns = now_ns;
            if (bucket->tokens_milli < full)
                bucket->tokens_milli = bucket->tokens_milli + gained < full ? bucket->tokens_milli + gained
                                                                            : full;
        }
    }
    if (bucket->tokens_milli < TOKEN) {
        guard->reason = rules[what].reason;
        guard->error_code = ENHANCE_YOUR_CALM;
        return false;
    }
    bucket->tokens_milli -= TOKEN;
    return true;
}

/*
 * RFC 9113, 5.1.1: streams are opened in order; a number left out is closed. nghttp2 does not remember which
 * were.
 */
static bool open_stream(weir_rpc_guard *guard, uint32_t id)
{
    size_t known = guard->gap_count < WEIR_RPC_GAP_COUNT ? guard->gap_count : WEIR_RPC_GAP_COUNT;

    if (!guard->is_server || id % 2 == 0)
        return true;
    if (id > guard->stream_last) {
        uint32_t next = guard->stream_last == 0 ? 1 : guard->stream_last + 2;

        if (id > next) {
            guard->gaps[guard->gap_count % WEIR_RPC_GAP_COUNT].first = next;
            guard->gaps[guard->gap_count % WEIR_RPC_GAP_COUNT].last = id - 2;
            guard->gap_count++;
        }
        guard->stream_last = id;
        return true;
    }
    for (size_t i = 0; i < known; i++) {
        if (id >= guard->gaps[i].first && id <= guard->gaps[i].last) {
            guard->reason = "a stream was opened out of order";
            guard->error_code = PROTOCOL_ERROR;
            return false;
        }
    }
    return true;
}

static uint32_t stream_of(const unsigned char header[9])
{
    return (uint32_t)(header[5] & 0x7F) << 24 | (uint32_t)header[6] << 16 | (uint32_t)header[7] << 8 |
           header[8];
}

/* One whole frame header. */
static bool judge(weir_rpc_guard *guard, int64_t now_ns)
{
    const unsigned char *header = guard->header;
    size_t size = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
    unsigned flags = header[4];

    guard->skip = size;
    switch (header[3]) {
    case 0x0: /* DATA */
        return size > 0 || (flags & FLAG_END_STREAM) || spend(guard, WEIR_RPC_FLOOD_EMPTY, now_ns);
    case 0x1: /* HEADERS */
        return open_stream(guard, stream_of(header)) &&
               (size > 0 || spend(guard, WEIR_RPC_FLOOD_EMPTY, now_ns));
    case 0x9: /* CONTINUATION */
        return size > 0 || spend(guard, WEIR_RPC_FLOOD_EMPTY, now_ns);
    case 0x3: /* RST_STREAM */
        return spend(guard, WEIR_RPC_FLOOD_RESET, now_ns);
    case 0x4: /* SETTINGS */
        return (flags & FLAG_ACK) ? spend(guard, WEIR_RPC_FLOOD_GLITCH, now_ns)
                                  : spend(guard, WEIR_RPC_FLOOD_SETTINGS, now_ns);
    case 0x6: /* PING */
        return (flags & FLAG_ACK) ? spend(guard, WEIR_RPC_FLOOD_GLITCH, now_ns)
                                  : spend(guard, WEIR_RPC_FLOOD_PING, now_ns);
    case 0x7: /* GOAWAY */
        return spend(guard, WEIR_RPC_FLOOD_GLITCH, now_ns);
    case 0x8: /* WINDOW_UPDATE */
        return spend(guard, WEIR_RPC_FLOOD_WINDOW, now_ns);
    default: /* PRIORITY, PUSH_PROMISE, unknown */
        return spend(guard, WEIR_RPC_FLOOD_GLITCH, now_ns);
    }
}

bool weir__rpc_guard_input(weir_rpc_guard *guard, const char *data, size_t size, int64_t now_ns)
{
    while (size > 0 && guard->reason == NULL) {
        size_t step;

        if (guard->skip > 0) {
            step = guard->skip < size ? guard->skip : size;
            guard->skip -= step;
        } else {
            step = sizeof guard->header - guard->header_size;
            if (step > size)
                step = size;
            __builtin_memcpy(guard->header + guard->header_size, data, step);
            guard->header_size += step;
            if (guard->header_size == sizeof guard->header) {
                guard->header_size = 0;
                if (!judge(guard, now_ns))
                    return false;
            }
        }
        data += step;
        size -= step;
    }
    return guard->reason == NULL;
}

bool weir__rpc_guard_sent_data(weir_rpc_guard *guard)
{
    weir_rpc_bucket *window = &guard->buckets[WEIR_RPC_FLOOD_WINDOW];
    int64_t window_max = (int64_t)WEIR_RPC_WINDOW_BURST * 64 * TOKEN;

    /*
     * Peers that measure bandwidth ping, and retune their settings, in answer to data: each DATA frame allows
     * a burst.
     */
    guard->buckets[WEIR_RPC_FLOOD_PING].tokens_milli = WEIR_RPC_PING_BURST * TOKEN;
    guard->buckets[WEIR_RPC_FLOOD_SETTINGS].tokens_milli = WEIR_RPC_SETTINGS_BURST * TOKEN;
    if (window->tokens_milli < window_max)
        window->tokens_milli += WEIR_RPC_WINDOW_PER_DATA * TOKEN;
    return guard->reason == NULL;
}

bool weir__rpc_guard_sent_reset(weir_rpc_guard *guard, int64_t now_ns)
{
    return spend(guard, WEIR_RPC_FLOOD_RESET, now_ns);
}
