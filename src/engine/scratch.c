/* engine/scratch: see scratch.h. A block is sealed under the key with its place in the file as counter. */
#include "engine/scratch.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define KEY_SIZE 32
#define COUNTER_SIZE 16

typedef struct block {
    uint64_t offset;
    size_t size;
} block;

typedef struct part {
    weir_buf open; /* the block that is being filled */
    block *blocks;
    size_t count;
    size_t capacity;
    uint64_t size; /* of the blocks */
} part;

struct scratch {
    weir_file *file;
    EVP_CIPHER_CTX *cipher;
    unsigned char key[KEY_SIZE];
    uint64_t end;  /* of the file */
    uint64_t look; /* at the disk, when the file ends there */
    scratch_limits limits;
    part parts[WEIR_READBACK_PARTS];
};

weir_status scratch_open(const char *folder, const scratch_limits *limits, scratch **out, weir_error *err)
{
    scratch *s = weir__calloc(1, sizeof *s);
    weir_status status;

    if (s == NULL)
        return weir__error_memory(err, "starting a scratch file");
    s->look = WEIR_READBACK_LOOK;
    s->limits = limits ? *limits
                       : (scratch_limits){ WEIR_READBACK_PART_MAX, WEIR_READBACK_FILE_MAX,
                                           WEIR_READBACK_FREE_MIN };
    for (size_t i = 0; i < WEIR_READBACK_PARTS; i++)
        weir__buf_init(&s->parts[i].open, WEIR_READBACK_PART_MAX);
    s->cipher = EVP_CIPHER_CTX_new();
    status = s->cipher ? weir__entropy_fill(s->key, sizeof s->key, err)
                       : weir__error_memory(err, "starting a scratch file");
    if (status == WEIR_OK)
        status = weir__file_scratch(folder, &s->file, err);
    if (status != WEIR_OK) {
        scratch_close(s);
        return status;
    }
    *out = s;
    return WEIR_OK;
}

void scratch_close(scratch *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < WEIR_READBACK_PARTS; i++) {
        weir__buf_clear(&s->parts[i].open);
        weir__free(s->parts[i].blocks);
    }
    weir__file_close(s->file);
    EVP_CIPHER_CTX_free(s->cipher);
    explicit_bzero(s->key, sizeof s->key);
    weir__free(s);
}

/* Seals or opens: in counter mode the two are the same. Offsets are never used twice. */
static weir_status cipher(scratch *s, uint64_t offset, void *data, size_t size, weir_error *err)
{
    unsigned char counter[COUNTER_SIZE] = { 0 };
    int done;

    memcpy(counter, &offset, sizeof offset);
    if (EVP_EncryptInit_ex(s->cipher, EVP_aes_256_ctr(), NULL, s->key, counter) != 1 ||
        EVP_EncryptUpdate(s->cipher, data, &done, data, (int)size) != 1)
        return weir__error_memory(err, "sealing a scratch file");
    return WEIR_OK;
}

/* Whether the file may grow by so many bytes. */
static weir_status check_disk(scratch *s, size_t size, weir_error *err)
{
    uint64_t room;

    if (s->end + size > s->limits.file)
        return weir__error(err, "more than %llu MiB would have to be noted of the rows that were sent",
                           (unsigned long long)(s->limits.file / WEIR_MIB));
    if (s->end < s->look)
        return WEIR_OK;
    s->look = s->end + WEIR_READBACK_LOOK;
    if (weir__file_room(s->file, &room, err) != WEIR_OK)
        return WEIR_FAILED;
    if (room < s->limits.free)
        return weir__error(err,
                           "noting the rows that were sent would leave less than %llu MiB of the disk free",
                           (unsigned long long)(s->limits.free / WEIR_MIB));
    return WEIR_OK;
}

static weir_status write_block(scratch *s, part *p, weir_error *err)
{
    weir_status status;

    if (p->open.size == 0)
        return WEIR_OK;
    if (check_disk(s, p->open.size, err) != WEIR_OK)
        return WEIR_FAILED;
    if (p->count == p->capacity) {
        size_t wanted = p->capacity ? p->capacity * 2 : 8;
        block *grown = weir__realloc_array(p->blocks, wanted, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "writing a scratch file");
        p->blocks = grown;
        p->capacity = wanted;
    }
    status = cipher(s, s->end, p->open.data, p->open.size, err);
    if (status == WEIR_OK)
        status = weir__file_write(s->file, p->open.data, p->open.size, err);
    if (status != WEIR_OK)
        return status;
    p->blocks[p->count++] = (block){ s->end, p->open.size };
    s->end += p->open.size;
    p->size += p->open.size;
    p->open.size = 0;
    return WEIR_OK;
}

uint64_t scratch_size(const scratch *s, size_t number)
{
    return s->parts[number].size + s->parts[number].open.size;
}

void *scratch_put(scratch *s, size_t number, size_t size, weir_error *err)
{
    part *p = &s->parts[number];
    char *at;

    if (scratch_size(s, number) + size > s->limits.part) {
        weir__error(err,
                    "more was noted of the rows that were sent than fits into memory, %llu MiB at a time",
                    (unsigned long long)(s->limits.part / WEIR_MIB));
        return NULL;
    }
    if (p->open.size + size > WEIR_READBACK_BLOCK && write_block(s, p, err) != WEIR_OK)
        return NULL;
    at = weir__buf_reserve(&p->open, size);
    if (at == NULL)
        weir__error_memory(err, "writing a scratch file");
    else
        p->open.size += size;
    return at;
}

weir_status scratch_read(scratch *s, size_t number, weir_buf *out, weir_error *err)
{
    part *p = &s->parts[number];
    uint64_t size = scratch_size(s, number);
    weir_status status = WEIR_OK;
    char *at = size <= out->size_max ? weir__buf_reserve(out, size) : NULL;

    if (at == NULL && size > 0)
        return weir__error(err, "%llu bytes of notes do not fit into memory", (unsigned long long)size);
    for (size_t i = 0; i < p->count && status == WEIR_OK; i++) {
        status = weir__file_read_at(s->file, p->blocks[i].offset, at, p->blocks[i].size, err);
        if (status == WEIR_OK)
            status = cipher(s, p->blocks[i].offset, at, p->blocks[i].size, err);
        at += p->blocks[i].size;
    }
    if (status != WEIR_OK)
        return status;
    if (p->open.size > 0)
        memcpy(at, p->open.data, p->open.size);
    out->size += size;
    return WEIR_OK;
}
