/*
 * batch/pack: one buffer, through which everything leaves.
 *
 *   plaintext → compressor → [buffer: ........................|free] → AES in place, whole blocks → output
 *                                                    rest < 16 B stays for the next round or for the padding
 */
#define ZLIB_CONST
#define ZSTD_STATIC_LINKING_ONLY /* for the allocator hooks and the frame's progress */
#include "batch/pack.h"

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
#define ZSTD_LOW (-50) /* the level; -1 makes rows of random words a third smaller, in three times the time */
#define ZSTD_HIGH 1    /* faster and denser than 3 on such rows */
#define GZIP_LEVEL 1
#define GZIP_WINDOW (15 + 16)       /* 15 bits, with a gzip header */
#define GZIP_HELD (128 * WEIR_KIB)  /* output that deflate may hold back */
#define FRAME_EXTRA ((uint64_t)64)  /* headers, checksums and the last, empty block */
#define CHUNK_MAX ((size_t)1 << 30) /* zlib counts in 32 bits */

struct weir_packer {
    bool open;
    weir_compression compression;
    weir_encryption encryption;
    weir_output output;
    ZSTD_CCtx *zstd;
    z_stream gzip;
    bool gzip_ready;
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *aes;
    uint64_t written;  /* bytes the output has received */
    uint64_t deflated; /* bytes deflate has produced */
    size_t used;
    unsigned char buffer[BUFFER_SIZE + BLOCK];
};

weir_packer *weir__packer_new(void)
{
    weir_packer *packer = weir__malloc(sizeof *packer);
    ZSTD_customMem memory = { weir__zstd_alloc, weir__zstd_free, NULL };

    if (packer == NULL)
        return NULL;
    memset(packer, 0, offsetof(weir_packer, buffer));
    packer->zstd = ZSTD_createCCtx_advanced(memory);
    packer->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    packer->aes = EVP_CIPHER_CTX_new();
    if (packer->zstd != NULL && packer->cipher != NULL && packer->aes != NULL)
        return packer;
    weir__packer_free(packer);
    return NULL;
}

void weir__packer_free(weir_packer *packer)
{
    if (packer == NULL)
        return;
    if (packer->gzip_ready)
        deflateEnd(&packer->gzip);
    ZSTD_freeCCtx(packer->zstd);
    EVP_CIPHER_CTX_free(packer->aes);
    EVP_CIPHER_free(packer->cipher);
    OPENSSL_cleanse(packer->buffer, packer->used);
    weir__free(packer);
}

static weir_status begin_gzip(weir_packer *packer, weir_error *err)
{
    if (packer->gzip_ready) {
        deflateReset(&packer->gzip);
        return WEIR_OK;
    }
    packer->gzip = (z_stream){ .zalloc = weir__zlib_alloc, .zfree = weir__zlib_free };
    if (deflateInit2(&packer->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return weir__error_memory(err, "starting to compress a batch file");
    packer->gzip_ready = true;
    return WEIR_OK;
}

static weir_status begin_zstd(weir_packer *packer, weir_effort effort, weir_error *err)
{
    int level = effort == WEIR_EFFORT_HIGH ? ZSTD_HIGH : ZSTD_LOW;
    size_t code = ZSTD_CCtx_reset(packer->zstd, ZSTD_reset_session_only);

    if (!ZSTD_isError(code))
        code = ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, level);
    if (ZSTD_isError(code))
        return weir__error(err, "start to compress a batch file: %s", ZSTD_getErrorName(code));
    return WEIR_OK;
}

/* Gives bytes to the output and counts them. */
static weir_status emit(weir_packer *packer, const void *data, size_t size, weir_error *err)
{
    weir_status status = size > 0 ? packer->output.write(packer->output.context, data, size, err) : WEIR_OK;

    if (status == WEIR_OK)
        packer->written += size;
    return status;
}

weir_status weir__packer_begin(weir_packer *packer, const weir_packer_file *file, weir_error *err)
{
    weir_status status = WEIR_OK;

    assert(!packer->open);
    if (file->compression == WEIR_COMPRESSION_ZSTD)
        status = begin_zstd(packer, file->effort, err);
    else if (file->compression == WEIR_COMPRESSION_GZIP)
        status = begin_gzip(packer, err);
    else if (file->compression != WEIR_COMPRESSION_OFF)
        status = weir__error(err, "write a batch file: compression %d is unknown", (int)file->compression);
    if (status != WEIR_OK)
        return status;
    if (file->encryption == WEIR_ENCRYPTION_AES) {
        if (!EVP_EncryptInit_ex2(packer->aes, packer->cipher, file->key, file->iv, NULL) ||
            !EVP_CIPHER_CTX_set_padding(packer->aes, 0))
            return weir__error(err, "write a batch file: AES-256 is not available");
    } else if (file->encryption != WEIR_ENCRYPTION_NONE) {
        return weir__error(err, "write a batch file: encryption %d is unknown", (int)file->encryption);
    }
    packer->compression = file->compression;
    packer->encryption = file->encryption;
    packer->output = file->output;
    packer->written = 0;
    packer->deflated = 0;
    packer->used = 0;
    WEIR_POINT("pack.begin");
    if (file->encryption == WEIR_ENCRYPTION_AES) {
        status = emit(packer, file->iv, WEIR_BATCH_IV_SIZE, err);
        if (status != WEIR_OK)
            return status;
    }
    packer->open = true;
    WEIR_POINT("pack.begun");
    return WEIR_OK;
}

/* Sends what is in the buffer; with AES, whole blocks of it. */
static weir_status drain(weir_packer *packer, weir_error *err)
{
    size_t size = packer->used;
    int encrypted;
    weir_status status;

    if (packer->encryption == WEIR_ENCRYPTION_AES) {
        size -= size % BLOCK;
        if (!EVP_EncryptUpdate(packer->aes, packer->buffer, &encrypted, packer->buffer, (int)size))
            return weir__error(err, "encrypt a batch file: AES-256 failed");
    }
    WEIR_POINT("pack.drain.before");
    status = emit(packer, packer->buffer, size, err);
    WEIR_POINT("pack.drain.after");
    if (status != WEIR_OK)
        return status;
    memmove(packer->buffer, packer->buffer + size, packer->used - size);
    packer->used -= size;
    return WEIR_OK;
}

static weir_status write_plain(weir_packer *packer, const char *data, size_t size, weir_error *err)
{
    while (size > 0) {
        size_t room = BUFFER_SIZE - packer->used;
        size_t part = size < room ? size : room;
        weir_status status = WEIR_OK;

        memcpy(packer->buffer + packer->used, data, part);
        packer->used += part;
        data += part;
        size -= part;
        if (packer->used == BUFFER_SIZE)
            status = drain(packer, err);
        if (status != WEIR_OK)
            return status;
    }
    return WEIR_OK;
}

static weir_status run_zstd(weir_packer *packer, weir_bytes text, ZSTD_EndDirective mode, weir_error *err)
{
    ZSTD_inBuffer in = { text.data, text.size, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { packer->buffer, BUFFER_SIZE, packer->used };
        weir_status status = WEIR_OK;

        left = ZSTD_compressStream2(packer->zstd, &out, &in, mode);
        if (ZSTD_isError(left))
            return weir__error(err, "compress a batch file: %s", ZSTD_getErrorName(left));
        packer->used = out.pos;
        if (packer->used > BUFFER_SIZE / 2)
            status = drain(packer, err);
        if (status != WEIR_OK)
            return status;
    } while (in.pos < in.size || (mode == ZSTD_e_end && left > 0));
    return WEIR_OK;
}

static weir_status run_gzip(weir_packer *packer, weir_bytes text, int mode, weir_error *err)
{
    z_stream *gzip = &packer->gzip;
    int code;

    gzip->next_in = (const Bytef *)text.data;
    gzip->avail_in = (uInt)text.size;
    do {
        weir_status status = WEIR_OK;
        size_t room = BUFFER_SIZE - packer->used;

        gzip->next_out = packer->buffer + packer->used;
        gzip->avail_out = (uInt)room;
        code = deflate(gzip, mode);
        if (code == Z_STREAM_ERROR)
            return weir__error(err, "compress a batch file: deflate failed");
        packer->used += room - gzip->avail_out;
        packer->deflated += room - gzip->avail_out;
        if (packer->used > BUFFER_SIZE / 2)
            status = drain(packer, err);
        if (status != WEIR_OK)
            return status;
    } while (gzip->avail_in > 0 || (mode == Z_FINISH && code != Z_STREAM_END));
    return WEIR_OK;
}

weir_status weir__packer_write(weir_packer *packer, const void *data, size_t size, weir_error *err)
{
    const char *at = data;
    weir_status status = WEIR_OK;

    assert(packer->open);
    if (packer->compression == WEIR_COMPRESSION_OFF)
        return write_plain(packer, at, size, err);
    while (size > 0 && status == WEIR_OK) {
        weir_bytes part = { at, size < CHUNK_MAX ? size : CHUNK_MAX };

        status = packer->compression == WEIR_COMPRESSION_ZSTD ? run_zstd(packer, part, ZSTD_e_continue, err)
                                                              : run_gzip(packer, part, Z_NO_FLUSH, err);
        at += part.size;
        size -= part.size;
    }
    return status;
}

weir_status weir__packer_finish(weir_packer *packer, uint64_t *size, weir_error *err)
{
    weir_status status = WEIR_OK;
    weir_bytes nothing = { "", 0 };
    size_t pad;

    assert(packer->open);
    WEIR_POINT("pack.finish.before");
    if (packer->compression == WEIR_COMPRESSION_ZSTD)
        status = run_zstd(packer, nothing, ZSTD_e_end, err);
    else if (packer->compression == WEIR_COMPRESSION_GZIP)
        status = run_gzip(packer, nothing, Z_FINISH, err);
    WEIR_POINT("pack.finish.compressed");
    if (status == WEIR_OK && packer->encryption == WEIR_ENCRYPTION_AES) {
        pad = BLOCK - packer->used % BLOCK; /* PKCS#7: always at least one byte */
        memset(packer->buffer + packer->used, (int)pad, pad);
        packer->used += pad;
    }
    if (status == WEIR_OK)
        status = drain(packer, err);
    if (status != WEIR_OK)
        return status;
    packer->open = false;
    WEIR_POINT("pack.finish.drained");
    if (size != NULL)
        *size = packer->written;
    return WEIR_OK;
}

void weir__packer_abandon(weir_packer *packer)
{
    packer->open = false;
}

uint64_t weir__packer_size_bound(const weir_packer *packer, size_t more)
{
    uint64_t bound = packer->written + packer->used;

    if (packer->compression == WEIR_COMPRESSION_ZSTD) {
        ZSTD_frameProgression progress = ZSTD_getFrameProgression(packer->zstd);
        uint64_t inside = progress.ingested - progress.consumed + more;

        bound += progress.produced - progress.flushed + inside + inside / 128 + FRAME_EXTRA;
    } else if (packer->compression == WEIR_COMPRESSION_GZIP) {
        bound += GZIP_HELD + more + more / 128 + FRAME_EXTRA;
    } else {
        bound += more;
    }
    return packer->encryption == WEIR_ENCRYPTION_AES ? bound / BLOCK * BLOCK + BLOCK : bound;
}
