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

void weir__rpc_guard_init(weir_rpc_guard *guard, size_t preface_size, int64_t now_ns)
{
    *guard = (weir_rpc_guard){ .skip = preface_size };
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
        return false;
    }
    bucket->tokens_milli -= TOKEN;
    return true;
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

    /* Peers that measure bandwidth ping, and retune their settings, in answer to data: each DATA frame allows a burst. */
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
