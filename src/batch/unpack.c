/*
 * batch/unpack: raw bytes are read into one buffer, decrypted there in place, and decompressed from there
 * into the caller's.
 *
 *   input → [ready: decrypted | held: not yet decrypted, 1 to 16 bytes at least] → decompressor → out
 *
 * The last block is held back until the file ends, because its padding has to be checked and removed.
 */
#define ZLIB_CONST
#define ZSTD_STATIC_LINKING_ONLY /* for the allocator hooks */
#include "batch/unpack.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/point.h"
#include "batch/memory.h"

#define BUFFER_SIZE (256 * WEIR_KIB)
#define BLOCK ((size_t)16)
#define SNIFF_SIZE ((size_t)4) /* bytes that tell zstd and gzip from each other and from text */
#define GZIP_WINDOW (15 + 16)
#define OUT_MAX ((size_t)1 << 30) /* zlib counts in 32 bits */

struct weir_unpacker {
    weir_unpacker_file file;
    ZSTD_DCtx *zstd;
    z_stream gzip;
    bool gzip_ready;
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *aes;
    unsigned char key[WEIR_BATCH_KEY_SIZE];
    bool begun;       /* the first bytes have been looked at */
    bool ended;       /* the input has ended and everything is decrypted */
    bool frame_open;  /* the decompressor is inside a frame */
    bool frame_empty; /* which has produced nothing yet */
    bool failed;
    bool done;
    unsigned empty_frames;
    uint64_t read;     /* bytes from the input */
    uint64_t produced; /* bytes of plaintext */
    size_t at;         /* [at, ready) of the buffer is decrypted and unused */
    size_t ready;
    size_t size; /* [ready, size) is raw */
    unsigned char buffer[BUFFER_SIZE];
};

weir_unpacker *weir__unpacker_new(void)
{
    weir_unpacker *unpacker = weir__malloc(sizeof *unpacker);
    ZSTD_customMem memory = { weir__zstd_alloc, weir__zstd_free, NULL };

    if (unpacker == NULL)
        return NULL;
    memset(unpacker, 0, offsetof(weir_unpacker, buffer));
    unpacker->failed = true; /* nothing is open */
    unpacker->zstd = ZSTD_createDCtx_advanced(memory);
    unpacker->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    unpacker->aes = EVP_CIPHER_CTX_new();
    if (unpacker->zstd != NULL && unpacker->cipher != NULL && unpacker->aes != NULL &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(unpacker->zstd, ZSTD_d_windowLogMax, WEIR_BATCH_WINDOW_LOG_MAX)))
        return unpacker;
    weir__unpacker_free(unpacker);
    return NULL;
}

void weir__unpacker_free(weir_unpacker *unpacker)
{
    if (unpacker == NULL)
        return;
    if (unpacker->gzip_ready)
        inflateEnd(&unpacker->gzip);
    ZSTD_freeDCtx(unpacker->zstd);
    EVP_CIPHER_CTX_free(unpacker->aes);
    EVP_CIPHER_free(unpacker->cipher);
    OPENSSL_cleanse(unpacker, sizeof *unpacker);
    weir__free(unpacker);
}

weir_status weir__unpacker_damaged(const char *name, weir_error *err)
{
    return weir__error(
        err,
        "read batch file '%s': its content cannot be decoded: the key is wrong, or the file is cut or "
        "damaged",
        name);
}

static weir_status open_gzip(weir_unpacker *unpacker, weir_error *err)
{
    if (unpacker->gzip_ready) {
        inflateReset(&unpacker->gzip);
        return WEIR_OK;
    }
    unpacker->gzip = (z_stream){ .zalloc = weir__zlib_alloc, .zfree = weir__zlib_free };
    if (inflateInit2(&unpacker->gzip, GZIP_WINDOW) != Z_OK)
        return weir__error_memory(err, "starting to decompress a batch file");
    unpacker->gzip_ready = true;
    return WEIR_OK;
}

static weir_status check_file(const weir_unpacker_file *file, weir_error *err)
{
    if (file->compression != WEIR_COMPRESSION_OFF && file->compression != WEIR_COMPRESSION_ZSTD &&
        file->compression != WEIR_COMPRESSION_GZIP)
        return weir__error(err, "read batch file '%s': compression %d is unknown", file->name,
                           (int)file->compression);
    if (file->encryption != WEIR_ENCRYPTION_NONE && file->encryption != WEIR_ENCRYPTION_AES)
        return weir__error(err, "read batch file '%s': encryption %d is unknown", file->name,
                           (int)file->encryption);
    if (file->encryption == WEIR_ENCRYPTION_AES && file->key == NULL)
        return weir__error(err, "read batch file '%s': it is encrypted, and the request has no key for it",
                           file->name);
    return WEIR_OK;
}

weir_status weir__unpacker_open(weir_unpacker *unpacker, const weir_unpacker_file *file, weir_error *err)
{
    weir_status status = check_file(file, err);

    unpacker->failed = true;
    unpacker->file = *file;
    unpacker->file.key = NULL;
    if (status == WEIR_OK && file->compression == WEIR_COMPRESSION_GZIP)
        status = open_gzip(unpacker, err);
    if (status != WEIR_OK)
        return status;
    ZSTD_DCtx_reset(unpacker->zstd, ZSTD_reset_session_only);
    if (file->encryption == WEIR_ENCRYPTION_AES)
        memcpy(unpacker->key, file->key, sizeof unpacker->key);
    unpacker->begun = false;
    unpacker->ended = false;
    unpacker->frame_open = false;
    unpacker->frame_empty = true;
    unpacker->failed = false;
    unpacker->done = false;
    unpacker->empty_frames = 0;
    unpacker->read = 0;
    unpacker->produced = 0;
    unpacker->at = 0;
    unpacker->ready = 0;
    unpacker->size = 0;
    return WEIR_OK;
}

static weir_status damaged(const weir_unpacker *unpacker, weir_error *err)
{
    return weir__unpacker_damaged(unpacker->file.name, err);
}

/* Reads until `want` bytes are in the buffer or the input ends; *end says which. */
static weir_status read_raw(weir_unpacker *unpacker, size_t want, bool *end, weir_error *err)
{
    *end = false;
    while (unpacker->size < want) {
        size_t got = 0;
        weir_status status = unpacker->file.input.read(unpacker->file.input.context,
                                                       unpacker->buffer + unpacker->size,
                                                       BUFFER_SIZE - unpacker->size, &got, err);

        if (status < 0)
            return status;
        if (status == WEIR_OK) {
            *end = true;
            return WEIR_OK;
        }
        unpacker->size += got;
        unpacker->read += got;
    }
    return WEIR_OK;
}

/* Decrypts the first `size` raw bytes, whole blocks. */
static weir_status decrypt(weir_unpacker *unpacker, size_t size, weir_error *err)
{
    unsigned char *raw = unpacker->buffer + unpacker->ready;
    int decrypted;

    if (size > 0 && !EVP_DecryptUpdate(unpacker->aes, raw, &decrypted, raw, (int)size))
        return damaged(unpacker, err);
    unpacker->ready += size;
    return WEIR_OK;
}

/* 1 to 16 equal bytes at the end of the last block; no branch depends on them (R-BAT-10). */
static bool remove_padding(weir_unpacker *unpacker)
{
    const unsigned char *last = unpacker->buffer + unpacker->ready - BLOCK;
    unsigned pad = last[BLOCK - 1];
    unsigned bad = (pad - 1) >> 4; /* nonzero unless 1 to 16 */

    for (unsigned i = 0; i < BLOCK; i++) {
        unsigned counts = (unsigned)((int)(BLOCK - 1 - i) - (int)pad) >> 31; /* 1 for the last `pad` bytes */

        bad |= (0 - counts) & (last[i] ^ pad);
    }
    if (bad != 0)
        return false;
    unpacker->ready -= pad;
    return true;
}

/* The IV is in front of the first block. */
static weir_status begin_aes(weir_unpacker *unpacker, weir_error *err)
{
    if (unpacker->size < WEIR_BATCH_IV_SIZE)
        return damaged(unpacker, err);
    if (!EVP_DecryptInit_ex2(unpacker->aes, unpacker->cipher, unpacker->key, unpacker->buffer, NULL) ||
        !EVP_CIPHER_CTX_set_padding(unpacker->aes, 0))
        return weir__error(err, "read batch file '%s': AES-256 is not available", unpacker->file.name);
    unpacker->at = WEIR_BATCH_IV_SIZE;
    unpacker->ready = WEIR_BATCH_IV_SIZE;
    return WEIR_OK;
}

static bool is_zstd(const unsigned char *bytes)
{
    static const unsigned char magic[SNIFF_SIZE] = { 0x28, 0xB5, 0x2F, 0xFD };
    static const unsigned char skippable[3] = { 0x2A, 0x4D, 0x18 };

    return memcmp(bytes, magic, sizeof magic) == 0 ||
           ((bytes[0] & 0xF0) == 0x50 && memcmp(bytes + 1, skippable, sizeof skippable) == 0);
}

static bool is_gzip(const unsigned char *bytes)
{
    return bytes[0] == 0x1F && bytes[1] == 0x8B;
}

/* Says so when request and file disagree; an encrypted file may as well have a wrong key. */
static weir_status sniff(weir_unpacker *unpacker, weir_error *err)
{
    const unsigned char *bytes = unpacker->buffer + unpacker->at;
    const char *name = unpacker->file.name;
    weir_compression compression = unpacker->file.compression;
    weir_compression found = WEIR_COMPRESSION_OFF;

    if (unpacker->ready - unpacker->at < SNIFF_SIZE)
        return WEIR_OK;
    if (is_zstd(bytes))
        found = WEIR_COMPRESSION_ZSTD;
    else if (is_gzip(bytes))
        found = WEIR_COMPRESSION_GZIP;
    if (found == compression)
        return WEIR_OK;
    if (found == WEIR_COMPRESSION_OFF && unpacker->file.encryption == WEIR_ENCRYPTION_AES)
        return damaged(unpacker, err);
    if (found == WEIR_COMPRESSION_OFF)
        return weir__error(err,
                           "read batch file '%s': the request says %s, but the file does not begin like it",
                           name, compression == WEIR_COMPRESSION_ZSTD ? "zstd" : "gzip");
    return weir__error(err, "read batch file '%s': the file begins like %s, but the request says %s", name,
                       found == WEIR_COMPRESSION_ZSTD ? "zstd" : "gzip",
                       compression == WEIR_COMPRESSION_OFF    ? "not compressed"
                       : compression == WEIR_COMPRESSION_ZSTD ? "zstd"
                                                              : "gzip");
}

/* Makes whatever has been read ready, except for what must be held back. */
static weir_status make_ready(weir_unpacker *unpacker, bool end, weir_error *err)
{
    size_t raw = unpacker->size - unpacker->ready;
    weir_status status;

    unpacker->ended = end;
    if (unpacker->file.encryption != WEIR_ENCRYPTION_AES) {
        unpacker->ready = unpacker->size;
        return WEIR_OK;
    }
    if (!end)
        return decrypt(unpacker, (raw - 1) / BLOCK * BLOCK, err);
    if (raw == 0 || raw % BLOCK != 0)
        return damaged(unpacker, err);
    status = decrypt(unpacker, raw, err);
    if (status == WEIR_OK && !remove_padding(unpacker))
        status = damaged(unpacker, err);
    return status;
}

static weir_status begin(weir_unpacker *unpacker, weir_error *err)
{
    bool end;
    weir_status status = read_raw(unpacker, WEIR_BATCH_IV_SIZE + 2 * BLOCK, &end, err);

    if (status != WEIR_OK)
        return status;
    WEIR_POINT("unpack.begin.read");
    unpacker->begun = true;
    if (unpacker->size == 0)
        return weir__error(err,
                           "read batch file '%s': it is empty; even a file without rows has a header line",
                           unpacker->file.name);
    if (unpacker->file.encryption == WEIR_ENCRYPTION_AES)
        status = begin_aes(unpacker, err);
    if (status == WEIR_OK)
        status = make_ready(unpacker, end, err);
    WEIR_POINT("unpack.begin.decrypted");
    return status == WEIR_OK ? sniff(unpacker, err) : status;
}

/* More decrypted bytes; none when the input has ended. */
static weir_status refill(weir_unpacker *unpacker, weir_error *err)
{
    size_t held = unpacker->size - unpacker->ready;
    bool end;
    weir_status status;

    if (!unpacker->begun)
        return begin(unpacker, err);
    if (unpacker->ended)
        return WEIR_OK;
    memmove(unpacker->buffer, unpacker->buffer + unpacker->ready, held);
    unpacker->at = 0;
    unpacker->ready = 0;
    unpacker->size = held;
    WEIR_POINT("unpack.refill");
    status = read_raw(unpacker, held + BLOCK + 1, &end, err);
    return status == WEIR_OK ? make_ready(unpacker, end, err) : status;
}

/* A frame has ended: counts those without content, of which a file of a few bytes could hold millions. */
static weir_status end_frame(weir_unpacker *unpacker, weir_error *err)
{
    WEIR_POINT("unpack.frame.ended");
    unpacker->empty_frames += unpacker->frame_empty;
    unpacker->frame_open = false;
    unpacker->frame_empty = true;
    return unpacker->empty_frames > WEIR_BATCH_EMPTY_FRAMES_MAX ? damaged(unpacker, err) : WEIR_OK;
}

/* Asks no frame for its content's size, nor for a checksum; one that is there is checked (R-BAT-04). */
static weir_status run_zstd(weir_unpacker *unpacker, char *data, size_t size, size_t *got, weir_error *err)
{
    ZSTD_inBuffer in = { unpacker->buffer, unpacker->ready, unpacker->at };
    ZSTD_outBuffer out = { data, size, 0 };
    size_t left = ZSTD_decompressStream(unpacker->zstd, &out, &in);

    if (ZSTD_isError(left))
        return damaged(unpacker, err);
    unpacker->at = in.pos;
    *got = out.pos;
    unpacker->frame_open = true;
    unpacker->frame_empty &= out.pos == 0;
    return left == 0 ? end_frame(unpacker, err) : WEIR_OK;
}

static weir_status run_gzip(weir_unpacker *unpacker, char *data, size_t size, size_t *got, weir_error *err)
{
    z_stream *gzip = &unpacker->gzip;
    int code;

    gzip->next_in = unpacker->buffer + unpacker->at;
    gzip->avail_in = (uInt)(unpacker->ready - unpacker->at);
    gzip->next_out = (Bytef *)data;
    gzip->avail_out = (uInt)size;
    code = inflate(gzip, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return damaged(unpacker, err);
    unpacker->at = unpacker->ready - gzip->avail_in;
    *got = size - gzip->avail_out;
    unpacker->frame_open = true;
    unpacker->frame_empty &= *got == 0;
    if (code != Z_STREAM_END)
        return WEIR_OK;
    inflateReset(gzip);
    return end_frame(unpacker, err);
}

static void copy_plain(weir_unpacker *unpacker, char *data, size_t size, size_t *got)
{
    size_t there = unpacker->ready - unpacker->at;
    size_t part = there < size ? there : size;

    memcpy(data, unpacker->buffer + unpacker->at, part);
    unpacker->at += part;
    *got = part;
}

static weir_status check_limits(const weir_unpacker *unpacker, weir_error *err)
{
    if (unpacker->produced > WEIR_BATCH_PLAIN_SIZE_MAX)
        return weir__error(err, "read batch file '%s': it decompresses to more than %zu bytes",
                           unpacker->file.name, WEIR_BATCH_PLAIN_SIZE_MAX);
    if (unpacker->produced > WEIR_BATCH_RATIO_FREE &&
        unpacker->produced / WEIR_BATCH_RATIO_MAX > unpacker->read)
        return weir__error(err, "read batch file '%s': it decompresses to more than %zu times its size",
                           unpacker->file.name, WEIR_BATCH_RATIO_MAX);
    return WEIR_OK;
}

/* One step; *got may be 0 although there is more. WEIR_ITEM unless everything has been handed out. */
static weir_status step(weir_unpacker *unpacker, char *data, size_t size, size_t *got, weir_error *err)
{
    weir_status status = WEIR_OK;
    bool had_input;

    if (unpacker->at == unpacker->ready)
        status = refill(unpacker, err);
    if (status != WEIR_OK)
        return status;
    had_input = unpacker->at < unpacker->ready;
    if (!had_input && !unpacker->frame_open)
        return unpacker->ended ? WEIR_OK : WEIR_ITEM;
    if (unpacker->file.compression == WEIR_COMPRESSION_ZSTD)
        status = run_zstd(unpacker, data, size, got, err);
    else if (unpacker->file.compression == WEIR_COMPRESSION_GZIP)
        status = run_gzip(unpacker, data, size, got, err);
    else
        copy_plain(unpacker, data, size, got);
    if (status == WEIR_OK && !had_input && unpacker->ended && *got == 0 && unpacker->frame_open)
        status = damaged(unpacker, err); /* the file ends inside a frame */
    return status == WEIR_OK ? WEIR_ITEM : status;
}

weir_status weir__unpacker_read(weir_unpacker *unpacker, void *out, size_t size, size_t *got, weir_error *err)
{
    weir_status status = WEIR_ITEM;
    size_t count = 0;

    assert(size > 0);
    if (unpacker->failed)
        return weir__error(err, "read batch file '%s': it has failed before",
                           unpacker->file.name ? unpacker->file.name : "");
    if (unpacker->done)
        return WEIR_OK;
    while (status == WEIR_ITEM && count == 0)
        status = step(unpacker, out, size < OUT_MAX ? size : OUT_MAX, &count, err);
    unpacker->produced += count;
    if (status == WEIR_ITEM && check_limits(unpacker, err) != WEIR_OK)
        status = WEIR_FAILED;
    unpacker->failed = status < 0;
    unpacker->done = status == WEIR_OK;
    if (status == WEIR_ITEM)
        *got = count;
    return status;
}
