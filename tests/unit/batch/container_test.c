/*
 * batch: compression, encryption, and what goes wrong with them (R-BAT-01 to R-BAT-04, R-BAT-10); names, keys
 * and CSV text as the official writer makes it (R-BAT-07). Frames and ciphertexts are made by libzstd, zlib
 * and libcrypto directly.
 */
#include "batch_support.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <zlib.h>
#include <zstd.h>

#include "base/map.h"
#include "batch/name.h"

static const weir_table plain = {
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "s", .type = WEIR_STRING }),
};
static const char small_csv[] = "id,s\n1,one\n2,\"two, and some more text that is long\"\n3,three\n";
static const char small_rows[] = "1|one;2|two, and some more text that is long;3|three;";

#define BYTES(text) ((weir_bytes){ text, sizeof(text) - 1 })

static test_reading reading(weir_compression compression, weir_encryption encryption)
{
    return (test_reading){ WEIR_BATCH_REPLACE, &plain, test_params(compression, encryption), test_key, 1000 };
}

static weir_status read_bytes(const test_reading *how, weir_bytes data, weir_error *err)
{
    weir_buf out;
    weir_status status;

    weir__buf_init(&out, 1 << 20);
    err->text[0] = '\0';
    status = test_read(how, data, &out, err);
    if (status == WEIR_OK) {
        assert_int_equal(out.size, sizeof small_rows - 1);
        assert_memory_equal(out.data, small_rows, out.size);
    }
    weir__buf_clear(&out);
    return status;
}

static void expect_good(const test_reading *how, weir_bytes data)
{
    weir_error err;

    if (read_bytes(how, data, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

static void expect_text(const test_reading *how, weir_bytes data, const char *part)
{
    weir_error err;

    assert_int_equal(read_bytes(how, data, &err), WEIR_FAILED);
    if (strstr(err.text, part) == NULL || strstr(err.text, "'file.csv'") == NULL)
        fail_msg("'%s' is not in: %s", part, err.text);
}

/* Faults of key, padding and compression all give the same text (R-BAT-10). */
static void expect_damaged(const test_reading *how, weir_bytes data)
{
    expect_text(how, data, "cannot be decoded: the key is wrong, or the file is cut or damaged");
}

/* IV and ciphertext by libcrypto; `padded`: the text is whole blocks with its own padding. */
static weir_bytes encrypt(weir_bytes text, bool padded)
{
    static unsigned char out[1 << 16];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size;
    int rest;

    memcpy(out, test_iv, 16);
    assert_true(EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), NULL, test_key, test_iv));
    EVP_CIPHER_CTX_set_padding(context, !padded);
    assert_true(
        EVP_EncryptUpdate(context, out + 16, &size, (const unsigned char *)text.data, (int)text.size));
    assert_true(EVP_EncryptFinal_ex(context, out + 16 + size, &rest));
    EVP_CIPHER_CTX_free(context);
    return (weir_bytes){ (const char *)out, 16 + (size_t)(size + rest) };
}

static void every_stack_reads_what_it_wrote(void **state)
{
    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        for (int encryption = 0; encryption < 2; encryption++) {
            test_reading how = reading((weir_compression)compression, (weir_encryption)encryption);
            weir_buf packed;
            weir_error err;

            weir__buf_init(&packed, 1 << 20);
            assert_int_equal(test_pack(BYTES(small_csv), &how.params, &packed, &err), WEIR_OK);
            assert_int_equal(packed.size % 16, encryption ? 0 : packed.size % 16);
            for (how.step = 1; how.step < 40; how.step++)
                expect_good(&how, weir__buf_bytes(&packed));
            weir__buf_clear(&packed);
        }
    }
}

/* R-BAT-01: a text whose length is a multiple of 16 has a whole block of padding. */
static void padding_of_every_length(void **state)
{
    char csv[] = "id,s\n1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
    weir_error err;

    (void)state;
    for (size_t cut = 0; cut < 33; cut++) {
        size_t size = sizeof csv - 1 - cut; /* the final LF, then x after x, goes missing */
        test_reading how = reading(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_AES);
        weir_buf ours;
        weir_buf rows;
        weir_bytes theirs = encrypt((weir_bytes){ csv, size }, false);

        weir__buf_init(&ours, 1000);
        weir__buf_init(&rows, 1000);
        assert_int_equal(test_pack((weir_bytes){ csv, size }, &how.params, &ours, &err), WEIR_OK);
        assert_int_equal(ours.size, theirs.size);
        assert_memory_equal(ours.data, theirs.data, theirs.size);
        assert_int_equal(test_read(&how, theirs, &rows, &err), WEIR_OK);
        assert_int_equal(rows.size, 2 + 36 - (cut > 0 ? cut - 1 : 0) + 1);
        weir__buf_clear(&ours);
        weir__buf_clear(&rows);
    }
}

static void bad_padding_is_damage(void **state)
{
    static const unsigned char pads[][4] = { { 1, 1, 1, 0 },         { 9, 9, 9, 17 }, { 1, 1, 3, 3 },
                                             { 255, 255, 255, 255 }, { 2, 3, 4, 4 },  { 0, 0, 0, 0 } };
    test_reading how = reading(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_AES);
    char text[64] = "id,s\n1,one\n2,\"two, and some more text that is long\"\n3,three\n";

    (void)state;
    memset(text + 60, 4, 4);
    expect_good(&how, encrypt((weir_bytes){ text, 64 }, true));
    for (size_t i = 0; i < sizeof pads / sizeof pads[0]; i++) {
        memcpy(text + 60, pads[i], 4);
        expect_damaged(&how, encrypt((weir_bytes){ text, 64 }, true));
    }
}

/* R-BAT-10: cut at every byte, the file is an error, never fewer rows. */
static void files_cut_anywhere_are_damaged(void **state)
{
    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        for (int encryption = 0; encryption < 2; encryption++) {
            test_reading how = reading((weir_compression)compression, (weir_encryption)encryption);
            weir_buf packed;
            weir_error err;

            if (compression == 0 && encryption == 0)
                continue; /* nothing in plain CSV says how long it is */
            weir__buf_init(&packed, 1 << 20);
            assert_int_equal(test_pack(BYTES(small_csv), &how.params, &packed, &err), WEIR_OK);
            for (size_t size = 1; size < packed.size; size++)
                assert_int_equal(read_bytes(&how, (weir_bytes){ packed.data, size }, &err), WEIR_FAILED);
            expect_text(&how, (weir_bytes){ packed.data, 0 }, "is empty");
            weir__buf_clear(&packed);
        }
    }
}

/* R-BAT-10: any bit of the key wrong. */
static void a_wrong_key_is_damage(void **state)
{
    unsigned char wrong[WEIR_BATCH_KEY_SIZE];

    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        test_reading how = reading((weir_compression)compression, WEIR_ENCRYPTION_AES);
        weir_buf packed;
        weir_error err;

        weir__buf_init(&packed, 1 << 20);
        assert_int_equal(test_pack(BYTES(small_csv), &how.params, &packed, &err), WEIR_OK);
        for (size_t i = 0; i < sizeof wrong; i++) {
            memcpy(wrong, test_key, sizeof wrong);
            wrong[i] ^= 1;
            how.key = wrong;
            expect_damaged(&how, weir__buf_bytes(&packed));
        }
        how.key = NULL;
        expect_text(&how, weir__buf_bytes(&packed), "no key");
        weir__buf_clear(&packed);
    }
}

static weir_bytes zstd_frame(weir_bytes text, bool size_known, bool checksum)
{
    static char out[1 << 16];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer in = { text.data, text.size, 0 };
    ZSTD_outBuffer to = { out, sizeof out, 0 };

    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, size_known);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
    if (size_known)
        ZSTD_CCtx_setPledgedSrcSize(context, text.size);
    assert_int_equal(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(context);
    return (weir_bytes){ out, to.pos };
}

/* R-BAT-04: content size and checksum may be there or not; a wrong checksum is damage. */
static void zstd_frames_of_every_kind(void **state)
{
    test_reading how = reading(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);
    char spoilt[1 << 10];

    (void)state;
    for (int i = 0; i < 4; i++) {
        weir_bytes frame = zstd_frame(BYTES(small_csv), i & 1, i & 2);

        expect_good(&how, frame);
        if (i & 2) {
            memcpy(spoilt, frame.data, frame.size);
            spoilt[frame.size - 1] ^= 1;
            expect_damaged(&how, (weir_bytes){ spoilt, frame.size });
        }
    }
}

static void append(weir_buf *out, weir_bytes bytes)
{
    assert_true(weir__buf_put(out, bytes.data, bytes.size));
}

/* Several frames one after the other are one file; a flood of empty ones, and trailing garbage, are not. */
static void frames_may_follow_each_other(void **state)
{
    static const char skippable[] = "\x50\x2A\x4D\x18\x03\0\0\0abc";
    test_reading how = reading(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);
    weir_buf file;

    (void)state;
    weir__buf_init(&file, 1 << 20);
    append(&file, BYTES(skippable));
    append(&file, zstd_frame((weir_bytes){ small_csv, 20 }, false, false));
    append(&file, zstd_frame(BYTES(""), true, false));
    append(&file, zstd_frame((weir_bytes){ small_csv + 20, sizeof small_csv - 21 }, true, true));
    expect_good(&how, weir__buf_bytes(&file));
    append(&file, BYTES("x"));
    expect_damaged(&how, weir__buf_bytes(&file));
    append(&file, BYTES("trailing garbage"));
    expect_damaged(&how, weir__buf_bytes(&file));
    file.size = 0;
    for (size_t i = 0; i <= WEIR_BATCH_EMPTY_FRAMES_MAX; i++)
        append(&file, BYTES(skippable));
    append(&file, zstd_frame(BYTES(small_csv), false, false));
    expect_damaged(&how, weir__buf_bytes(&file));
    weir__buf_clear(&file);
}

static weir_bytes gzip_member(weir_bytes text)
{
    static unsigned char out[1 << 16];
    z_stream stream = { 0 };

    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)text.data;
    stream.avail_in = (uInt)text.size;
    stream.next_out = out;
    stream.avail_out = sizeof out;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return (weir_bytes){ (const char *)out, sizeof out - stream.avail_out };
}

static void gzip_members_may_follow_each_other(void **state)
{
    test_reading how = reading(WEIR_COMPRESSION_GZIP, WEIR_ENCRYPTION_NONE);
    weir_buf file;

    (void)state;
    weir__buf_init(&file, 1 << 20);
    append(&file, gzip_member((weir_bytes){ small_csv, 20 }));
    append(&file, gzip_member((weir_bytes){ small_csv + 20, sizeof small_csv - 21 }));
    expect_good(&how, weir__buf_bytes(&file));
    append(&file, BYTES("\0\0\0\0"));
    expect_damaged(&how, weir__buf_bytes(&file));
    file.data[file.size - 9] ^= 1; /* the checksum */
    file.size -= 4;
    expect_damaged(&how, weir__buf_bytes(&file));
    weir__buf_clear(&file);
}

/* The request's parameters are trusted, but a file that is plainly something else gets a clear word. */
static void parameters_and_file_disagree(void **state)
{
    test_reading off = reading(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    test_reading zstd = reading(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);
    test_reading gzip = reading(WEIR_COMPRESSION_GZIP, WEIR_ENCRYPTION_NONE);
    test_reading aes = reading(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_AES);

    (void)state;
    expect_text(&off, zstd_frame(BYTES(small_csv), true, true),
                "begins like zstd, but the request says not compressed");
    expect_text(&off, gzip_member(BYTES(small_csv)), "begins like gzip, but the request says not compressed");
    expect_text(&zstd, gzip_member(BYTES(small_csv)), "begins like gzip, but the request says zstd");
    expect_text(&zstd, BYTES(small_csv), "the request says zstd, but the file does not begin like it");
    expect_text(&gzip, BYTES(small_csv), "the request says gzip, but the file does not begin like it");
    expect_text(&aes, encrypt(zstd_frame(BYTES(small_csv), true, true), false), "begins like zstd");
    expect_damaged(&aes, BYTES(small_csv));
    expect_damaged(&off, encrypt(BYTES(small_csv), false));
    off.params.compression = (weir_compression)3;
    expect_text(&off, BYTES(small_csv), "compression 3 is unknown");
    aes.params.encryption = (weir_encryption)2;
    expect_text(&aes, BYTES(small_csv), "encryption 2 is unknown");
}

/* R-BAT-10: a frame that becomes thousands of times larger ends at a limit, whatever is in it. */
static void bombs_are_refused(void **state)
{
    const size_t size = 400 * WEIR_MIB;
    char *zeros = calloc(1, size);
    size_t room = ZSTD_compressBound(size);
    char *frame = malloc(room);
    weir_unpacker *unpacker = weir__unpacker_new();
    test_source source = { frame, ZSTD_compress(frame, room, zeros, size, 19), 0, 1000 };
    weir_unpacker_file file = {
        "file.csv", WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE, NULL, { test_source_read, &source }
    };
    weir_status status;
    weir_error err;
    uint64_t total = 0;
    size_t got = 0;

    (void)state;
    assert_int_equal(weir__unpacker_open(unpacker, &file, &err), WEIR_OK);
    while ((status = weir__unpacker_read(unpacker, zeros, WEIR_MIB, &got, &err)) == WEIR_ITEM)
        total += got;
    assert_int_equal(status, WEIR_FAILED);
    assert_non_null(strstr(err.text, "more than 2000 times its size"));
    assert_true(total <= WEIR_BATCH_RATIO_FREE + source.size * WEIR_BATCH_RATIO_MAX + WEIR_MIB);
    assert_int_equal(weir__unpacker_read(unpacker, zeros, WEIR_MIB, &got, &err), WEIR_FAILED);
    weir__unpacker_free(unpacker);
    free(zeros);
    free(frame);
}

/* A window beyond 128 MiB would let a file choose how much memory we take. */
static void huge_windows_are_refused(void **state)
{
    static const char frame[] = "\x28\xB5\x2F\xFD\x00\xA0" /* window log 30 */
                                "\x01\0\0";                /* an empty last block */
    test_reading how = reading(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);

    (void)state;
    expect_damaged(&how, BYTES(frame));
}

static void an_empty_plaintext_is_an_error(void **state)
{
    test_reading zstd = reading(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES);
    test_reading off = reading(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_AES);

    (void)state;
    expect_text(&zstd, encrypt(zstd_frame(BYTES(""), false, false), false), "is empty");
    expect_text(&off, encrypt(BYTES(""), false), "is empty");
}

static weir_status failing_write(void *context, const void *data, size_t size, weir_error *err)
{
    (void)context;
    (void)data;
    (void)size;
    return weir__error(err, "the disk is full");
}

static weir_status failing_read(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    int *left = context;

    if (--*left < 0)
        return weir__error(err, "the disk is gone");
    memset(data, 'x', size < 100 ? size : 100);
    *got = size < 100 ? size : 100;
    return WEIR_ITEM;
}

/* The port's own failure reaches the caller, with its text. */
static void failures_of_ports_are_passed_on(void **state)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);
    weir_writer *writer = weir__writer_new();
    weir_writer_file file = { &plain, &params, test_key, test_iv, { failing_write, NULL } };
    weir_reader *reader = weir__reader_new();
    int left = 3;
    weir_file_params off = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    weir_reader_file read = { "f", WEIR_BATCH_REPLACE, &plain, &off, NULL, { failing_read, &left } };
    weir_cell cells[] = { weir_long("id", 1), weir_string("s", "x") };
    weir_error err;

    (void)state;
    assert_int_equal(weir__writer_begin(writer, &file, &err), WEIR_OK);
    assert_int_equal(weir__writer_row(writer, cells, &err), WEIR_OK);
    assert_int_equal(weir__writer_finish(writer, NULL, &err), WEIR_FAILED);
    assert_string_equal(err.text, "the disk is full");
    weir__writer_abandon(writer);
    weir__writer_free(writer);
    assert_int_equal(weir__reader_open(reader, &read, &err), WEIR_FAILED);
    assert_string_equal(err.text, "the disk is gone");
    weir__reader_free(reader);
}

/* R-BAT-03: the bound is never below the size, and close enough to cut files by. */
static void size_bounds_hold(void **state)
{
    char text[1000];
    uint64_t random = 1;

    (void)state;
    for (int compression = 0; compression < 3; compression++) {
        for (size_t writes = 1; writes < 3000; writes = writes * 3 + 1) {
            weir_file_params params = test_params((weir_compression)compression, WEIR_ENCRYPTION_AES);
            weir_packer *packer = weir__packer_new();
            weir_buf out;
            weir_packer_file file = {
                params.compression, params.encryption, test_key, test_iv, { test_sink_write, &out }
            };
            uint64_t bound = 0;
            uint64_t size = 0;

            weir__buf_init(&out, 64 * WEIR_MIB);
            assert_int_equal(weir__packer_begin(packer, &file, NULL), WEIR_OK);
            for (size_t i = 0; i < writes; i++) {
                for (size_t j = 0; j < sizeof text; j++) {
                    random = random * 6364136223846793005u + 1442695040888963407u;
                    text[j] = (char)(random >> 56); /* does not compress */
                }
                bound = weir__packer_size_bound(packer, sizeof text);
                assert_int_equal(weir__packer_write(packer, text, sizeof text, NULL), WEIR_OK);
            }
            assert_int_equal(weir__packer_finish(packer, &size, NULL), WEIR_OK);
            assert_int_equal(size, out.size);
            assert_true(size <= bound);
            assert_true(bound <= size + size / 100 + 300 * WEIR_KIB);
            weir__packer_free(packer);
            weir__buf_clear(&out);
        }
    }
}

/* Whatever the effort, libzstd reads the same bytes back; the higher one is for smaller files. */
static void effort_is_about_size_only(void **state)
{
    uint64_t sizes[2];
    weir_buf text;

    (void)state;
    weir__buf_init(&text, WEIR_MIB);
    for (int i = 0; text.size < 500000; i++) {
        char line[100];

        snprintf(line, sizeof line, "%d,customer %d,%d.%02d,2024-01-01T%02d:00:00Z,true\n", i, i * 7919, i,
                 i % 100, i % 24);
        assert_true(weir__buf_put_text(&text, line));
    }
    for (int effort = WEIR_EFFORT_LOW; effort <= WEIR_EFFORT_HIGH; effort++) {
        weir_packer *packer = weir__packer_new();
        char *back = malloc(text.size);
        weir_buf out;
        weir_packer_file file = { .compression = WEIR_COMPRESSION_ZSTD,
                                  .output = { test_sink_write, &out },
                                  .effort = (weir_effort)effort };

        weir__buf_init(&out, WEIR_MIB);
        assert_int_equal(weir__packer_begin(packer, &file, NULL), WEIR_OK);
        assert_int_equal(weir__packer_write(packer, text.data, text.size, NULL), WEIR_OK);
        assert_int_equal(weir__packer_finish(packer, &sizes[effort], NULL), WEIR_OK);
        assert_int_equal(ZSTD_decompress(back, text.size, out.data, out.size), text.size);
        assert_memory_equal(back, text.data, text.size);
        weir__packer_free(packer);
        weir__buf_clear(&out);
        free(back);
    }
    assert_true(sizes[WEIR_EFFORT_HIGH] < sizes[WEIR_EFFORT_LOW]);
    weir__buf_clear(&text);
}

/* Ready-made text and rows go through one writer, whatever their sizes, wide headers included. */
static void text_and_rows_may_be_mixed(void **state)
{
    static weir_column columns[9000];
    static char names[9000][12];
    weir_table wide = { .name = "wide", .columns = columns, .column_count = 9000 };
    weir_file_params params = test_params(WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES);
    weir_writer *writer = weir__writer_new();
    weir_buf out;
    weir_buf text;
    weir_writer_file file = { &wide, &params, test_key, test_iv, { test_sink_write, &out } };
    weir_buf rows;
    test_reading how = { WEIR_BATCH_REPLACE, &wide, params, test_key, SIZE_MAX };
    weir_error err;

    (void)state;
    weir__buf_init(&out, 64 * WEIR_MIB);
    weir__buf_init(&text, WEIR_MIB);
    weir__buf_init(&rows, 256 * WEIR_MIB);
    for (size_t i = 0; i < 9000; i++) {
        snprintf(names[i], sizeof names[i], "column%zu", i);
        columns[i] = (weir_column){ .name = names[i], .type = WEIR_STRING, .key = i == 0 };
        assert_true(weir__buf_put_text(&text, i < 8999 ? "x," : "y\n"));
    }
    assert_int_equal(weir__writer_begin(writer, &file, &err), WEIR_OK);
    for (size_t i = 0; i < 100; i++)
        for (size_t at = 0; at < text.size; at += 3000)
            assert_int_equal(weir__writer_text(writer, (weir_bytes){ text.data + at, 3000 }, at == 0, &err),
                             WEIR_OK);
    assert_int_equal(weir__writer_rows(writer), 100);
    assert_int_equal(weir__writer_finish(writer, NULL, &err), WEIR_OK);
    assert_int_equal(test_read(&how, weir__buf_bytes(&out), &rows, &err), WEIR_OK);
    assert_int_equal(rows.size, 100 * text.size);
    weir__writer_free(writer);
    weir__buf_clear(&out);
    weir__buf_clear(&text);
    weir__buf_clear(&rows);
}

static void check_cell(weir_cell cell, const char *want)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    weir_buf out;
    weir_error err;

    weir__buf_init(&out, 1000);
    assert_int_equal(weir__csv_put_cell(&out, &params, &cell, &err), WEIR_OK);
    assert_int_equal(out.size, strlen(want));
    assert_memory_equal(out.data, want, out.size);
    assert_true(weir__buf_put(&out, ",next", 5));
    assert_int_equal(weir__csv_cell_size(out.data, out.size), strlen(want));
    weir__buf_clear(&out);
}

/* R-BAT-07: quoted when longer than 24 or with a byte below 0x2D; the null string bare. */
static void cells_are_quoted_as_the_official_writer_does(void **state)
{
    (void)state;
    check_cell(weir_utc_datetime("c", (weir_time){ 1763737187, 315000000 }), "2025-11-21T14:59:47.315Z");
    check_cell(weir_utc_datetime("c", (weir_time){ 1763737187, 315000001 }),
               "\"2025-11-21T14:59:47.315000001Z\"");
    check_cell(weir_string("c", "New Year"), "\"New Year\"");
    check_cell(weir_string("c", "plain-text_24.characters"), "plain-text_24.characters");
    check_cell(weir_string("c", "plain-text_25/characters!"), "\"plain-text_25/characters!\"");
    check_cell(weir_string("c", "a\"b"), "\"a\"\"b\"");
    check_cell(weir_string("c", "a\nb"), "\"a\nb\"");
    check_cell(weir_string("c", "12345678+"), "\"12345678+\"");
    check_cell(weir_string("c", "12345678 90123456"), "\"12345678 90123456\"");
    check_cell(weir_string("c", "back\\slash"), "back\\slash");
    check_cell(weir_string("c", ""), "");
    check_cell(weir_string("c", "\xC3\xA9"), "\xC3\xA9");
    check_cell(weir_binary("c", "\xDE\xAB\xBE\xFB\xBE", 5), "\"3qu++74=\"");
    check_cell(weir_binary("c", "\0\0", 2), "AAA=");
    check_cell(weir_double("c", -0.0000012345678901234567), "\"-0.0000012345678901234567\"");
    check_cell(weir_decimal("c", "-12345678901234567890.12345"), "\"-12345678901234567890.12345\"");
    check_cell(weir_null("c"), TEST_NULL);
    check_cell(weir__cell("c", WEIR_BINARY, WEIR_UNMODIFIED), TEST_UNMODIFIED);
}

static void a_failed_row_leaves_no_trace(void **state)
{
    weir_file_params params = test_params(WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    weir_cell good[] = { weir_long("id", 1), weir_decimal("s", "1.5") };
    weir_cell bad[] = { weir_long("id", 1), weir_decimal("s", "x") };
    weir_buf out;
    weir_error err;

    (void)state;
    weir__buf_init(&out, 1000);
    assert_int_equal(weir__csv_put_row(&out, &params, good, 2, &err), WEIR_OK);
    assert_int_equal(weir__csv_put_row(&out, &params, bad, 2, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'s'"));
    assert_int_equal(out.size, 6);
    assert_int_equal(weir__csv_put_row(&out, &params, good, 1, &err), WEIR_OK);
    weir__buf_clear(&out);
}

static weir_status counting_fill(void *context, void *data, size_t size, weir_error *err)
{
    unsigned char *next = context;
    unsigned char *bytes = data;

    (void)err;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (*next)++;
    return WEIR_OK;
}

static weir_status failing_fill(void *context, void *data, size_t size, weir_error *err)
{
    (void)context;
    (void)data;
    (void)size;
    return weir__error(err, "no entropy");
}

/* R-BAT-06, R-BAT-02: names, keys and markers are random; the kind is in the name. */
static void names_keys_and_markers_are_random(void **state)
{
    unsigned char counter = 0;
    weir_entropy entropy = { counting_fill, &counter };
    weir_entropy none = { failing_fill, NULL };
    weir_batch_label label = { .compression = WEIR_COMPRESSION_ZSTD, .encryption = WEIR_ENCRYPTION_AES };
    weir_batch_markers markers;
    weir_batch_secret secret;
    char name[WEIR_BATCH_NAME_SIZE];
    char other[WEIR_BATCH_NAME_SIZE];

    (void)state;
    assert_int_equal(weir__batch_name_make(&entropy, label, name, NULL), WEIR_OK);
    assert_string_equal(name, "000102030405060708090a0b0c0d0e_upsert.csv.zstd.aes");
    assert_int_equal(weir__batch_name_format(weir__text(name)), WEIR_BATCH_CSV);
    label = (weir_batch_label){ .kind = WEIR_BATCH_EARLIEST_START, .compression = WEIR_COMPRESSION_GZIP };
    assert_int_equal(weir__batch_name_make(&entropy, label, other, NULL), WEIR_OK);
    assert_string_equal(other, "0f101112131415161718191a1b1c1d_earliest.csv.gz");
    label = (weir_batch_label){ .kind = WEIR_BATCH_DELETE, .format = WEIR_BATCH_PARQUET };
    assert_int_equal(weir__batch_name_make(&entropy, label, other, NULL), WEIR_OK);
    assert_string_equal(other + 30, "_delete.parquet");
    assert_int_equal(weir__batch_name_format(weir__text(other)), WEIR_BATCH_PARQUET);
    assert_int_equal(weir__batch_name_format(weir__text("/a.csv/b.parquet.zstd.aes")), WEIR_BATCH_PARQUET);
    assert_int_equal(weir__batch_name_format(weir__text("/a.parquet/b.csv.gz")), WEIR_BATCH_CSV);
    assert_int_equal(weir__batch_name_format(weir__text("")), WEIR_BATCH_CSV);
    assert_int_equal(weir__batch_markers_make(&entropy, &markers, NULL), WEIR_OK);
    assert_int_equal(strlen(markers.null_string), 5 + 27);
    assert_int_equal(strlen(markers.unmodified_string), 6 + 27);
    assert_memory_equal(markers.null_string, "null-", 5);
    assert_string_not_equal(markers.null_string + 5, markers.unmodified_string + 6);
    assert_int_equal(weir__batch_secret_make(&entropy, &secret, NULL), WEIR_OK);
    assert_memory_not_equal(secret.key, secret.iv, sizeof secret.iv);
    assert_int_equal(weir__batch_name_make(&none, label, name, NULL), WEIR_FAILED);
    assert_int_equal(weir__batch_markers_make(&none, &markers, NULL), WEIR_FAILED);
    assert_int_equal(weir__batch_secret_make(&none, &secret, NULL), WEIR_FAILED);
}

/*
 * R-BAT-02: keys are found by the exact path string; none are needed, and any tolerated, without encryption.
 */
static void keys_are_found_by_the_exact_path(void **state)
{
    const weir_batch_key entries[] = {
        { BYTES("/data/a.csv"), { (const char *)test_key, sizeof test_key } },
        { BYTES("/data/b.csv"), { (const char *)test_iv, sizeof test_iv } },
    };
    weir_batch_keys keys = { entries, 2, WEIR_ENCRYPTION_AES };
    const unsigned char *key = test_iv;
    weir_error err;

    (void)state;
    assert_int_equal(weir__batch_key_find(&keys, BYTES("/data/a.csv"), &key, &err), WEIR_OK);
    assert_ptr_equal(key, test_key);
    assert_int_equal(weir__batch_key_find(&keys, BYTES("/data//a.csv"), &key, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'/data//a.csv'"));
    assert_int_equal(weir__batch_key_find(&keys, BYTES("a.csv"), &key, &err), WEIR_FAILED);
    assert_int_equal(weir__batch_key_find(&keys, BYTES("/data/b.csv"), &key, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "16 bytes instead of 32"));
    assert_ptr_equal(key, test_key);
    keys.encryption = WEIR_ENCRYPTION_NONE;
    assert_int_equal(weir__batch_key_find(&keys, BYTES("/data/b.csv"), &key, &err), WEIR_OK);
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stack_reads_what_it_wrote),
        cmocka_unit_test(padding_of_every_length),
        cmocka_unit_test(bad_padding_is_damage),
        cmocka_unit_test(files_cut_anywhere_are_damaged),
        cmocka_unit_test(a_wrong_key_is_damage),
        cmocka_unit_test(zstd_frames_of_every_kind),
        cmocka_unit_test(frames_may_follow_each_other),
        cmocka_unit_test(gzip_members_may_follow_each_other),
        cmocka_unit_test(parameters_and_file_disagree),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(huge_windows_are_refused),
        cmocka_unit_test(an_empty_plaintext_is_an_error),
        cmocka_unit_test(failures_of_ports_are_passed_on),
        cmocka_unit_test(size_bounds_hold),
        cmocka_unit_test(effort_is_about_size_only),
        cmocka_unit_test(text_and_rows_may_be_mixed),
        cmocka_unit_test(cells_are_quoted_as_the_official_writer_does),
        cmocka_unit_test(a_failed_row_leaves_no_trace),
        cmocka_unit_test(names_keys_and_markers_are_random),
        cmocka_unit_test(keys_are_found_by_the_exact_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
