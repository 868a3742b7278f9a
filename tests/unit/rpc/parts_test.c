/*
 * rpc: the pure parts: text forms, messages cut at every byte, gzip, metadata, the guard's buckets, limits.
 *
 * Expected encodings come from the gRPC over HTTP/2 document, RFC 4648 and GNU gzip.
 */
#include "support.h"

#include <stdio.h>

#include "base/map.h"
#include "rpc/block.h"
#include "rpc/frame.h"
#include "rpc/guard.h"
#include "rpc/gzip.h"
#include "rpc/text.h"

#define SECOND INT64_C(1000000000)

static void percent_encoding(void **state)
{
    static const struct {
        const char *plain;
        const char *encoded;
    } cases[] = {
        { "", "" },
        { "plain ~", "plain ~" },
        { "100%", "100%25" },
        { " blanks ", "%20blanks%20" },
        { "\t\nline\r\n\xE2\x98\xBA", "%09%0Aline%0D%0A%E2%98%BA" },
        { "\x7F", "%7F" },
    };
    char out[128];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = weir__rpc_percent_encode(weir__text(cases[i].plain), out);

        assert_true(weir__bytes_equal((weir_bytes){ out, size }, weir__text(cases[i].encoded)));
        size = weir__rpc_percent_decode(weir__text(cases[i].encoded), out);
        assert_true(weir__bytes_equal((weir_bytes){ out, size }, weir__text(cases[i].plain)));
    }
    assert_int_equal(weir__rpc_percent_decode(weir__text("50% %zz %4"), out), 10); /* broken escapes stay */
    assert_memory_equal(out, "50% %zz %4", 10);
    assert_int_equal(weir__rpc_percent_decode(weir__text("%e2%98%ba"), out), 3);
    assert_memory_equal(out, "\xE2\x98\xBA", 3);
}

static void timeouts(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: malformed */
    } parse[] = {
        { "1n", 1 },
        { "2u", 2000 },
        { "3m", 3000000 },
        { "4S", 4 * SECOND },
        { "5M", 300 * SECOND },
        { "6H", 21600 * SECOND },
        { "99999999n", 99999999 },
        { "0S", 0 },
        { "99999999H", INT64_MAX },
        { "", -1 },
        { "S", -1 },
        { "5", -1 },
        { "123456789S", -1 },
        { "-1S", -1 },
        { "1s", -1 },
        { "1.5S", -1 },
    };
    static const struct {
        int64_t ns;
        const char *text;
    } format[] = {
        { 0, "0n" },
        { -5, "0n" },
        { 99999999, "99999999n" },
        { 100000000, "100000u" },
        { 100000001, "100001u" },
        { 30 * SECOND, "30000000u" },
        { 7200 * SECOND, "7200000m" },
        { INT64_MAX, "2562048H" },
    };
    char out[16];
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof parse / sizeof parse[0]; i++) {
        assert_int_equal(weir__rpc_timeout_parse(weir__text(parse[i].text), &ns), parse[i].ns >= 0);
        if (parse[i].ns >= 0)
            assert_int_equal(ns, parse[i].ns);
    }
    for (size_t i = 0; i < sizeof format / sizeof format[0]; i++) {
        weir__rpc_timeout_format(format[i].ns, out);
        assert_string_equal(out, format[i].text);
    }
}

static void base64(void **state)
{
    static const struct {
        const char *plain;
        const char *encoded;
    } cases[] = {
        { "", "" },           { "f", "Zg" },          { "fo", "Zm8" },          { "foo", "Zm9v" },
        { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xFF\xFE\xFD", "//79" }
    };
    static const char *const padded[] = { "",         "Zg==",     "Zm8=",     "Zm9v",
                                          "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy", "//79" };
    static const char *const bad[] = { "Z", "Zm9vY", "Zm9v=YmFy", "Zm 9v", "Zm9v\xFF", "Z===" };
    char out[64];
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size = weir__rpc_base64_encode(weir__text(cases[i].plain), out);
        assert_true(weir__bytes_equal((weir_bytes){ out, size }, weir__text(cases[i].encoded)));
        assert_true(weir__rpc_base64_decode(weir__text(cases[i].encoded), out, &size));
        assert_true(weir__bytes_equal((weir_bytes){ out, size }, weir__text(cases[i].plain)));
        assert_true(weir__rpc_base64_decode(weir__text(padded[i]), out, &size));
        assert_true(weir__bytes_equal((weir_bytes){ out, size }, weir__text(cases[i].plain)));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(weir__rpc_base64_decode(weir__text(bad[i]), out, &size));
}

static void metadata_off_the_wire(void **state)
{
    weir_rpc_block block = { 0 };

    (void)state;
    assert_int_equal(weir__rpc_block_receive(&block, weir__text("x-bin"), weir__text("Zg==, Zm9v,")),
                     WEIR_OK);
    assert_int_equal(block.count, 3);
    assert_true(weir__bytes_equal(block.items[0].value, weir__text("f")));
    assert_true(weir__bytes_equal(block.items[1].value, weir__text("foo")));
    assert_int_equal(block.items[2].value.size, 0);
    assert_int_equal(weir__rpc_block_receive(&block, weir__text("x"), weir__text("a,b")), WEIR_OK);
    assert_true(weir__bytes_equal(block.items[3].value, weir__text("a,b")));
    assert_int_equal(weir__rpc_block_receive(&block, weir__text("x-bin"), weir__text("Zm9v,?")),
                     WEIR_UNSUPPORTED);
    weir__rpc_block_clear(&block);
}

/*
 * Feeds `wire` in pieces of `piece` bytes, each in a slab when `in_slab`; checks the messages that come out.
 */
static weir_status cut_into(weir_rpc_pool *pool, weir_bytes wire, size_t piece, bool in_slab)
{
    weir_rpc_message_list list = { 0 };
    weir_rpc_deframer deframer;
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err;
    size_t count = 0;

    weir__rpc_deframer_init(&deframer, pool, 100000);
    for (size_t at = 0; at < wire.size && code == WEIR_RPC_OK; at += piece) {
        size_t size = wire.size - at < piece ? wire.size - at : piece;
        weir_rpc_slab *slab = in_slab ? weir__rpc_slab_new(pool, size) : NULL;

        if (in_slab && slab == NULL) {
            code = WEIR_RPC_RESOURCE_EXHAUSTED;
            break;
        }
        if (slab != NULL)
            memcpy(slab->data, wire.data + at, size);
        code = weir__rpc_deframe(
            &deframer, slab, (weir_bytes){ slab != NULL ? slab->data : wire.data + at, size }, &list, &err);
        weir__rpc_slab_unref(slab);
    }
    for (weir_rpc_message *at = list.first; at != NULL && code == WEIR_RPC_OK; at = at->next, count++) {
        static const size_t sizes[] = { 0, 1, 20000, 3 };
        weir_bytes bytes = weir__rpc_message_bytes(at);

        assert_int_equal(bytes.size, sizes[count]);
        for (size_t i = 0; i < bytes.size; i++)
            assert_int_equal((unsigned char)bytes.data[i], (count + i) % 256);
        assert_int_equal(at->compressed, count == 1);
    }
    if (code == WEIR_RPC_OK) {
        assert_int_equal(count, 4);
        assert_false(weir__rpc_deframer_is_inside(&deframer));
    }
    weir__rpc_message_list_clear(&list);
    weir__rpc_deframer_clear(&deframer);
    return code == WEIR_RPC_OK ? WEIR_OK : WEIR_FAILED;
}

static size_t make_wire(char *wire)
{
    static const size_t sizes[] = { 0, 1, 20000, 3 };
    size_t at = 0;

    for (size_t i = 0; i < 4; i++) {
        weir__rpc_prefix_write((unsigned char *)wire + at, i == 1, sizes[i]);
        at += WEIR_RPC_PREFIX_SIZE;
        for (size_t j = 0; j < sizes[i]; j++)
            wire[at++] = (char)(i + j);
    }
    return at;
}

static weir_status cut_scenario(void *context)
{
    weir_rpc_pool *pool = weir__rpc_pool_new(1 << 20);
    weir_status status = WEIR_FAILED;

    if (pool != NULL)
        status = cut_into(pool, *(weir_bytes *)context, 7000, true);
    weir__rpc_pool_free(pool);
    return status;
}

/* However the bytes are cut, the messages are the same. */
static void messages_survive_every_cut(void **state)
{
    static char wire[20100];
    weir_bytes bytes = { wire, make_wire(wire) };
    weir_rpc_pool *pool = weir__rpc_pool_new(1 << 20);

    (void)state;
    for (size_t piece = 1; piece < 40; piece++)
        for (int in_slab = 0; in_slab < 2; in_slab++)
            assert_int_equal(cut_into(pool, bytes, piece, in_slab), WEIR_OK);
    assert_int_equal(cut_into(pool, bytes, sizeof wire, true), WEIR_OK);
    weir__rpc_pool_free(pool);
    WEIR_EVERY_FAILURE(cut_scenario, &bytes);
}

/*
 * R-RPC-02: a size is refused before anything is allocated for it, and believed only as far as bytes arrive.
 */
static void a_size_is_not_taken_at_its_word(void **state)
{
    weir_rpc_pool *pool = weir__rpc_pool_new(1 << 20);
    weir_rpc_message_list list = { 0 };
    weir_rpc_deframer deframer;
    weir_error err;
    int64_t live = weir__alloc_live();

    (void)state;
    weir__rpc_deframer_init(&deframer, pool, WEIR_MESSAGE_SIZE_MAX);
    assert_int_equal(weir__rpc_deframe(&deframer, NULL, (weir_bytes){ "\0\x08\0\0\1", 5 }, &list, &err),
                     WEIR_RPC_RESOURCE_EXHAUSTED);
    assert_int_equal(weir__alloc_live(), live);
    weir__rpc_deframer_clear(&deframer);
    assert_int_equal(weir__rpc_deframe(&deframer, NULL, (weir_bytes){ "\2\0\0\0\1", 5 }, &list, &err),
                     WEIR_RPC_INTERNAL);
    weir__rpc_deframer_clear(&deframer);
    assert_int_equal(weir__rpc_deframe(&deframer, NULL, (weir_bytes){ "\0\x08\0\0\0xyz", 8 }, &list, &err),
                     WEIR_RPC_OK);
    assert_in_range(deframer.partial_capacity, 3, 65536);
    assert_true(weir__rpc_deframer_is_inside(&deframer));
    weir__rpc_deframer_clear(&deframer);
    weir__rpc_pool_free(pool);
}

/* "hello hello hello hello\n" by GNU gzip 1.12 -n. */
static const unsigned char gzip_hello[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                            0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9,
                                            0x00, 0x00, 0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00, 0xff };
#define GZIP_HELLO_SIZE (sizeof gzip_hello - 1) /* the last byte is one too many */

static weir_status gzip_scenario(void *context)
{
    weir_buf packed;
    weir_buf plain;
    weir_status status;

    weir__buf_init(&packed, 1 << 20);
    weir__buf_init(&plain, 1 << 20);
    status = weir__rpc_deflate(*(weir_bytes *)context, &packed, NULL);
    if (status == WEIR_OK)
        status = weir__rpc_inflate(weir__buf_bytes(&packed), &plain, NULL);
    if (status == WEIR_OK)
        assert_true(weir__bytes_equal(weir__buf_bytes(&plain), *(weir_bytes *)context));
    weir__buf_clear(&packed);
    weir__buf_clear(&plain);
    return status;
}

static void gzip_is_whole_or_refused(void **state)
{
    static char block[200000];
    weir_bytes bytes = { block, sizeof block };
    weir_buf out;
    weir_error err;

    (void)state;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * i >> 7);
    WEIR_EVERY_FAILURE(gzip_scenario, &bytes);
    for (size_t size = 0; size <= sizeof gzip_hello;
         size++) { /* cut at every byte, whole, and with a byte after its end */
        weir_status expected = size == GZIP_HELLO_SIZE ? WEIR_OK : WEIR_FAILED;

        weir__buf_init(&out, 1000);
        assert_int_equal(weir__rpc_inflate((weir_bytes){ (const char *)gzip_hello, size }, &out, &err),
                         expected);
        assert_true(weir__bytes_equal(weir__buf_bytes(&out),
                                      weir__text(expected == WEIR_OK ? "hello hello hello hello\n" : "")));
        weir__buf_clear(&out);
    }
    for (size_t size_max = 23; size_max < 25; size_max++) { /* the content has 24 bytes */
        weir__buf_init(&out, size_max);
        assert_int_equal(
            weir__rpc_inflate((weir_bytes){ (const char *)gzip_hello, GZIP_HELLO_SIZE }, &out, &err),
            size_max < 24 ? WEIR_UNSUPPORTED : WEIR_OK);
        weir__buf_clear(&out);
    }
}

static void the_guard_lets_normal_traffic_pass(void **state)
{
    weir_rpc_guard guard;
    static const char ping[17] = { 0, 0, 8, 6 };
    static const char window[13] = { 0, 0, 4, 8 };
    int64_t now_ns = 5 * SECOND;
    size_t passed = 0;

    (void)state;
    weir__rpc_guard_init(&guard, false, now_ns);
    for (int i = 0; i < 3600; i++) { /* a ping a second for an hour */
        now_ns += SECOND;
        assert_true(weir__rpc_guard_input(&guard, ping, sizeof ping, now_ns));
    }
    for (int i = 0; i < 100000;
         i++) { /* bandwidth probes: one for each DATA frame, with two window updates */
        assert_true(weir__rpc_guard_sent_data(&guard));
        assert_true(weir__rpc_guard_input(&guard, ping, sizeof ping, now_ns));
        assert_true(weir__rpc_guard_input(&guard, window, sizeof window, now_ns));
        assert_true(weir__rpc_guard_input(&guard, window, sizeof window, now_ns));
    }
    weir__rpc_guard_init(&guard, false, now_ns);
    for (int i = 0; i < 100; i++) /* byte by byte: a header is only judged whole */
        for (size_t j = 0; j < sizeof ping; j++)
            if (weir__rpc_guard_input(&guard, ping + j, 1, now_ns))
                passed++;
            else
                goto out;
out:
    assert_int_equal(passed, 10 * sizeof ping + 8);
    assert_string_equal(guard.reason, "too many pings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_encoding),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(base64),
        cmocka_unit_test(metadata_off_the_wire),
        cmocka_unit_test(messages_survive_every_cut),
        cmocka_unit_test(a_size_is_not_taken_at_its_word),
        cmocka_unit_test(gzip_is_whole_or_refused),
        cmocka_unit_test(the_guard_lets_normal_traffic_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
