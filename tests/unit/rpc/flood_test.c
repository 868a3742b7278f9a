/*
 * rpc: hostile peers. Each case writes raw HTTP/2 frames to a server and says how that must end; meanwhile a
 * well-behaved client on the same server gets its answers. Limits: rpc_limits.h; frames by RFC 9113, header
 * fields as literals without indexing by RFC 7541.
 */
#include "rpc_support.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CALM 0xB
#define REFUSED 0x7
#define PROTOCOL 0x1
#define FLOW_CONTROL 0x3
#define SETTINGS_TIMEOUT 0x4
#define NOTHING (-1)

typedef struct peer {
    int fd;
    unsigned char in[1 << 16];
    size_t size;
    /* what has been seen */
    int64_t goaway; /* error code of the last GOAWAY, NOTHING */
    int64_t reset;  /* error code of the last RST_STREAM, NOTHING */
    uint32_t reset_count;
    uint32_t header_count; /* HEADERS frames */
    uint32_t ping_count;
    bool ended;
} peer;

static void put_all(peer *p, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t sent = send(p->fd, at, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the server has had enough: what it said is read below */
        at += sent;
        size -= (size_t)sent;
    }
}

static void put_frame(peer *p, int type, int flags, uint32_t stream, weir_bytes payload)
{
    unsigned char header[9] = {
        (unsigned char)(payload.size >> 16),
        (unsigned char)(payload.size >> 8),
        (unsigned char)payload.size,
        (unsigned char)type,
        (unsigned char)flags,
        (unsigned char)(stream >> 24),
        (unsigned char)(stream >> 16),
        (unsigned char)(stream >> 8),
        (unsigned char)stream,
    };

    put_all(p, header, sizeof header);
    put_all(p, payload.data, payload.size);
}

static void take_frame(peer *p, const unsigned char *frame, size_t size)
{
    const unsigned char *payload = frame + 9;

    (void)size;
    switch (frame[3]) {
    case 0x1:
        p->header_count++;
        break;
    case 0x3:
        p->reset = (int64_t)payload[0] << 24 | payload[1] << 16 | payload[2] << 8 | payload[3];
        p->reset_count++;
        break;
    case 0x6:
        p->ping_count++;
        break;
    case 0x7:
        p->goaway = (int64_t)payload[4] << 24 | payload[5] << 16 | payload[6] << 8 | payload[7];
        break;
    default:
        break;
    }
}

/* Reads until `enough(p)` or the end of the connection; fails after a long time. */
static void read_until(peer *p, bool (*enough)(const peer *p))
{
    struct timeval patience = { .tv_sec = 20 };

    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (!p->ended && !enough(p)) {
        ssize_t got = recv(p->fd, p->in + p->size, sizeof p->in - p->size, 0);
        size_t at = 0;

        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            fail_msg("the server does not answer");
        if (got <= 0) {
            p->ended = true;
            return;
        }
        p->size += (size_t)got;
        while (p->size - at >= 9) {
            size_t size = 9 + ((size_t)p->in[at] << 16 | (size_t)p->in[at + 1] << 8 | p->in[at + 2]);

            if (p->size - at < size)
                break;
            take_frame(p, p->in + at, size);
            at += size;
        }
        memmove(p->in, p->in + at, p->size - at);
        p->size -= at;
    }
}

static bool never(const peer *p)
{
    (void)p;
    return false;
}

static bool has_headers(const peer *p)
{
    return p->header_count > 0;
}

static bool has_reset(const peer *p)
{
    return p->reset_count > 0;
}

static peer *peer_open(const test_server *t)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    peer *p = calloc(1, sizeof *p);

    memcpy(address.sun_path, t->path, strlen(t->path));
    *p = (peer){ .fd = socket(AF_UNIX, SOCK_STREAM, 0), .goaway = NOTHING, .reset = NOTHING };
    assert_int_equal(connect(p->fd, (struct sockaddr *)&address, sizeof address), 0);
    return p;
}

static void peer_close(peer *p)
{
    close(p->fd);
    free(p);
}

static void greet(peer *p)
{
    put_all(p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    put_frame(p, 0x4, 0, 0, weir__text(""));
}

/* A literal field without indexing, lengths below 127. */
static size_t put_field(char *out, const char *name, const char *value)
{
    size_t name_size = strlen(name);
    size_t value_size = strlen(value);

    out[0] = 0;
    out[1] = (char)name_size;
    memcpy(out + 2, name, name_size);
    out[2 + name_size] = (char)value_size;
    memcpy(out + 3 + name_size, value, value_size);
    return 3 + name_size + value_size;
}

/* The fields of a call of /t.T/Hold; returns their size. */
static size_t put_request(char out[512])
{
    size_t size = put_field(out, ":method", "POST");

    size += put_field(out + size, ":scheme", "http");
    size += put_field(out + size, ":path", "/t.T/Hold");
    size += put_field(out + size, ":authority", "localhost");
    size += put_field(out + size, "content-type", "application/grpc");
    return size + put_field(out + size, "te", "trailers");
}

static void open_stream(peer *p, uint32_t id)
{
    char fields[512];

    put_frame(p, 0x1, 0x4, id, (weir_bytes){ fields, put_request(fields) });
}

/* --- the attacks --- */

static void rapid_reset(peer *p)
{
    for (uint32_t i = 0; i < 1000; i++) {
        open_stream(p, 2 * i + 1);
        put_frame(p, 0x3, 0, 2 * i + 1, (weir_bytes){ "\0\0\0\x08", 4 });
    }
}

/*
 * The client makes the server do the resetting: the window of each stream overflows, which is an error of the
 * stream.
 */
static void made_you_reset(peer *p)
{
    for (uint32_t i = 0; i < 1000; i++) {
        open_stream(p, 2 * i + 1);
        put_frame(p, 0x8, 0, 2 * i + 1, (weir_bytes){ "\x7F\xFF\xFF\xFF", 4 });
    }
}

static void continuation_flood(peer *p)
{
    char fields[512];

    put_frame(p, 0x1, 0, 1, (weir_bytes){ fields, put_request(fields) });
    for (int i = 0; i < 1000; i++) {
        size_t size = put_field(fields, "x", "y");

        put_frame(p, 0x9, 0, 1, (weir_bytes){ fields, size });
    }
}

static void empty_continuations(peer *p)
{
    char fields[512];

    put_frame(p, 0x1, 0, 1, (weir_bytes){ fields, put_request(fields) });
    for (int i = 0; i < 1000; i++)
        put_frame(p, 0x9, 0, 1, weir__text(""));
}

static void empty_data(peer *p)
{
    open_stream(p, 1);
    for (int i = 0; i < 1000; i++)
        put_frame(p, 0x0, 0, 1, weir__text(""));
}

static void ping_flood(peer *p)
{
    for (int i = 0; i < 1000; i++)
        put_frame(p, 0x6, 0, 0, weir__text("12345678"));
}

static void settings_flood(peer *p)
{
    for (int i = 0; i < 1000; i++)
        put_frame(p, 0x4, 0, 0, weir__text(""));
}

static void settings_entries(peer *p)
{
    char entries[6 * 33] = { 0 };

    for (size_t i = 0; i < sizeof entries; i += 6)
        entries[i + 1] = 0x77; /* a setting that nobody knows */
    put_frame(p, 0x4, 0, 0, (weir_bytes){ entries, sizeof entries });
}

static void window_flood(peer *p)
{
    for (int i = 0; i < 20000; i++)
        put_frame(p, 0x8, 0, 0, (weir_bytes){ "\0\0\0\x01", 4 });
}

static void window_overflow(peer *p)
{
    put_frame(p, 0x8, 0, 0, (weir_bytes){ "\x7F\xFF\xFF\xFF", 4 });
}

static void window_zero(peer *p)
{
    put_frame(p, 0x8, 0, 0, (weir_bytes){ "\0\0\0\0", 4 });
}

static void priority_flood(peer *p)
{
    for (int i = 0; i < 20000; i++)
        put_frame(p, 0x2, 0, 1, (weir_bytes){ "\0\0\0\x03\x10", 5 });
}

static void unknown_frames(peer *p)
{
    for (int i = 0; i < 20000; i++)
        put_frame(p, 0xEE, 0, 0, weir__text(""));
}

/*
 * A request with one field of `value_size` (255 to 4,000) bytes put into the dynamic table, then a byte for
 * each repetition.
 */
static size_t put_bomb(char *fields, size_t value_size, size_t repetitions)
{
    size_t size = put_request(fields);

    fields[size++] = 0x40; /* literal with incremental indexing, new name */
    fields[size++] = 1;
    fields[size++] = 'x';
    fields[size++] = 0x7F; /* a length of 127 and more */
    fields[size++] = (char)((value_size - 127) % 128 | 0x80);
    fields[size++] = (char)((value_size - 127) / 128);
    memset(fields + size, 'v', value_size);
    size += value_size;
    memset(fields + size, 0xBE, repetitions); /* index 62, the latest entry */
    return size + repetitions;
}

/* A megabyte of fields out of 4,500 bytes. */
static void hpack_bomb(peer *p)
{
    char fields[8192];

    put_frame(p, 0x1, 0x4, 1, (weir_bytes){ fields, put_bomb(fields, 4000, 300) });
}

static void no_preface(peer *p)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    put_all(p, request, sizeof request - 1);
}

static void out_of_order(peer *p)
{
    open_stream(p, 5);
    open_stream(p, 3);
}

static weir_status echo_once(weir_rpc_client *client, weir_error *err)
{
    weir_rpc_call_options options = { .method = "/t.T/Echo", .timeout_ms = 10000 };
    weir_rpc_message *reply = NULL;
    weir_status status = weir__rpc_unary(client, &options, weir__text("hello"), &reply, err);

    weir__rpc_message_free(reply);
    return status;
}

static void floods_end_the_connection_and_only_it(void **state)
{
    static const struct {
        const char *name;
        void (*attack)(peer *p);
        int64_t goaway;
    } cases[] = {
        { "rapid reset", rapid_reset, CALM },
        { "made you reset", made_you_reset, CALM },
        { "CONTINUATION flood", continuation_flood, CALM },
        { "empty CONTINUATIONs", empty_continuations, CALM },
        { "empty DATA", empty_data, CALM },
        { "ping flood", ping_flood, CALM },
        { "settings flood", settings_flood, CALM },
        { "settings entries", settings_entries, CALM },
        { "window flood", window_flood, CALM },
        { "priority flood", priority_flood, CALM },
        { "unknown frames", unknown_frames, CALM },
        { "HPACK bomb", hpack_bomb, CALM },
        { "window overflow", window_overflow, FLOW_CONTROL },
        { "window zero", window_zero, PROTOCOL },
        { "streams out of order", out_of_order, PROTOCOL },
    };
    test_server t;
    weir_rpc_client *client;
    weir_error err = { 0 };

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        peer *p = peer_open(&t);

        greet(p);
        cases[i].attack(p);
        if (echo_once(client, &err) != WEIR_OK)
            fail_msg("%s: the healthy client: %s", cases[i].name, err.text);
        read_until(p, never);
        if (p->goaway != cases[i].goaway)
            fail_msg("%s: GOAWAY %d instead of %d", cases[i].name, (int)p->goaway, (int)cases[i].goaway);
        peer_close(p);
    }
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void what_is_no_http2_is_closed(void **state)
{
    test_server t;
    peer *p;

    (void)state;
    test_server_open(&t, true, NULL);
    p = peer_open(&t);
    no_preface(p);
    read_until(p, never);
    assert_int_equal(p->goaway, PROTOCOL);
    peer_close(p);
    weir__rpc_server_close(t.server);
}

static void a_silent_peer_is_closed(void **state)
{
    weir_rpc_limits limits = { .preface_timeout_ms = 50 };
    test_server t;
    peer *p;

    (void)state;
    test_server_open(&t, true, &limits);
    p = peer_open(&t);
    put_all(p, "PRI * HTTP/2.0", 14);
    read_until(p, never);
    assert_int_equal(p->goaway, SETTINGS_TIMEOUT);
    peer_close(p);
    weir__rpc_server_close(t.server);
}

/*
 * Too large or too many fields refuse the call, not the connection: a second call on it is answered as well.
 */
static void large_headers_refuse_the_call(void **state)
{
    static char fields[8192];
    test_server t;

    (void)state;
    test_server_open(&t, true, NULL);
    for (int kind = 0; kind < 2; kind++) {
        peer *p = peer_open(&t);
        size_t size;

        if (kind == 0) { /* 17 fields of 1,033 bytes: over 16 KiB */
            size = put_bomb(fields, 1000, 16);
        } else { /* 6 + 59 fields */
            size = put_request(fields);
            for (int i = 0; i < 59; i++)
                size += put_field(fields + size, "a", "b");
        }
        greet(p);
        put_frame(p, 0x1, 0x5, 1, (weir_bytes){ fields, size });
        read_until(p, has_headers);
        assert_int_equal(p->header_count, 1); /* the status on its own */
        put_frame(p, 0x1, 0x5, 3, (weir_bytes){ fields, put_request(fields) });
        p->header_count = 0;
        read_until(p, has_headers);
        assert_int_equal(p->header_count, 1);
        assert_int_equal(p->goaway, NOTHING);
        peer_close(p);
    }
    assert_int_equal(weir__rpc_server_running_peak(t.server), 0); /* nothing of it reached a handler */
    weir__rpc_server_close(t.server);
}

/*
 * Who has not read the limit yet is refused the stream; who acknowledged it and goes on loses the connection.
 */
static void streams_over_the_limit_are_refused(void **state)
{
    weir_rpc_limits limits = { .stream_count_max = 10 };
    test_server t;

    (void)state;
    test_server_open(&t, true, &limits);
    for (int informed = 0; informed < 2; informed++) {
        peer *p = peer_open(&t);

        greet(p);
        if (informed)
            put_frame(p, 0x4, 0x1, 0, weir__text(""));
        for (uint32_t i = 0; i < 11; i++)
            open_stream(p, 2 * i + 1);
        read_until(p, informed ? never : has_reset);
        assert_int_equal(p->reset, informed ? NOTHING : REFUSED);
        assert_int_equal(p->goaway, informed ? PROTOCOL : NOTHING);
        peer_close(p);
    }
    weir__rpc_server_close(t.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floods_end_the_connection_and_only_it),
        cmocka_unit_test(what_is_no_http2_is_closed),
        cmocka_unit_test(a_silent_peer_is_closed),
        cmocka_unit_test(large_headers_refuse_the_call),
        cmocka_unit_test(streams_over_the_limit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
