/*
 * What the tests of served connectors share: a host on a Unix socket in this process and a client that talks
 * to it.
 */
#ifndef WEIR_TESTS_PEER_H
#define WEIR_TESTS_PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/client.h"
#include "sdk/host.h"
#include "wire/v2.h"

typedef struct peer {
    char folder[64];
    char path[96];
    weir_host_options options;
    weir_host *host;
    weir_rpc_client *client;
    weir_arena *arena; /* of requests and replies */
} peer;

#define TEXT(text) ((weir_bytes){ text, sizeof(text) - 1 })

static inline weir_bytes text_of(const char *text)
{
    return (weir_bytes){ text, text ? strlen(text) : 0 };
}

static inline void peer_prepare(peer *p)
{
    memset(p, 0, sizeof *p);
    snprintf(p->folder, sizeof p->folder, "/tmp/weir-sdk-test-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/socket", p->folder);
    p->options.port = -1;
    p->options.socket_path = p->path;
    p->arena = weir__arena_new(64 * WEIR_MIB);
    assert_non_null(p->arena);
}

static inline void peer_connect(peer *p)
{
    char target[128];
    weir_rpc_client_options options = { .target = target };
    weir_error err = { 0 };

    snprintf(target, sizeof target, "unix:%s", p->path);
    if (weir__rpc_client_open(&options, &p->client, &err) != WEIR_OK ||
        weir__rpc_client_connect(p->client, 5000, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

static inline void peer_source(peer *p, const weir_source *source)
{
    weir_error err = { 0 };

    peer_prepare(p);
    if (weir__host_open_source(source, sizeof *source, &p->options, &p->host, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    peer_connect(p);
}

static inline void peer_destination(peer *p, const weir_destination *destination)
{
    weir_error err = { 0 };

    peer_prepare(p);
    if (weir__host_open_destination(destination, sizeof *destination, &p->options, &p->host, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    peer_connect(p);
}

static inline void peer_close(peer *p)
{
    weir__rpc_client_close(p->client);
    weir__host_close(p->host);
    weir__arena_free(p->arena);
    unlink(p->path);
    rmdir(p->folder);
}

/* Encodes a request; the bytes are in the peer's arena. */
static inline weir_bytes peer_encode(peer *p, const weir_codec_message *type, const void *message)
{
    weir_buf out;
    weir_bytes bytes;

    weir__buf_init(&out, 16 * WEIR_MIB);
    assert_int_equal(weir__codec_encode(type, message, &out, NULL), WEIR_OK);
    bytes = (weir_bytes){ weir__arena_copy(p->arena, out.data, out.size), out.size };
    weir__buf_clear(&out);
    return bytes;
}

/* One unary call. On success the reply is decoded into `reply`, and its texts are in the peer's arena. */
static inline weir_rpc_code peer_unary(peer *p, const char *method, const weir_codec_message *request_type,
                                       const void *request, const weir_codec_message *reply_type, void *reply,
                                       char text[8192])
{
    weir_rpc_call_options options = { .method = method, .kind = WEIR_RPC_UNARY, .timeout_ms = 20000 };
    weir_bytes bytes = peer_encode(p, request_type, request);
    weir_rpc_call *call = NULL;
    weir_bytes got = { NULL, 0 };
    weir_bytes why;
    weir_rpc_code code;
    weir_status status;

    assert_int_equal(weir__rpc_call_open(p->client, &options, &call, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, bytes, 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    status = weir__rpc_recv(call, &got, NULL);
    if (status == WEIR_ITEM) {
        const char *copy = weir__arena_copy(p->arena, got.data, got.size);

        memset(reply, 0, reply_type->size);
        assert_int_equal(
            weir__codec_decode(reply_type, (weir_bytes){ copy, got.size }, p->arena, reply, NULL), WEIR_OK);
        assert_int_equal(weir__rpc_recv(call, &got, NULL), WEIR_OK); /* exactly one reply */
    }
    code = weir__rpc_call_code(call);
    why = weir__rpc_call_text(call);
    snprintf(text, 8192, "%.*s", (int)why.size, why.data ? why.data : "");
    weir__rpc_call_close(call);
    return code;
}

static inline bool bytes_are(weir_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

#endif
