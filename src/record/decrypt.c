/* record/decrypt: AES-256-CBC, the IV in front, PKCS#7 at the end; see decrypt.h. */
#include "record/decrypt.h"

#include <openssl/evp.h>

#include "base/alloc.h"

#define PART_SIZE (512 * WEIR_KIB)
#define BLOCK ((size_t)16)

typedef struct decryption {
    weir_input input;
    const char *name;
    EVP_CIPHER_CTX *cipher;
    unsigned char *sealed; /* PART_SIZE */
    unsigned char *plain;  /* PART_SIZE */
} decryption;

static weir_status damaged(const decryption *d, weir_error *err)
{
    return weir__error(err, "recording: the batch file '%s' cannot be decrypted", d->name);
}

static weir_status begin(decryption *d, const unsigned char *key, weir_error *err)
{
    unsigned char iv[WEIR_BATCH_IV_SIZE];
    size_t size = 0;
    size_t got;
    weir_status status = WEIR_ITEM;

    while (size < sizeof iv && status == WEIR_ITEM) {
        status = d->input.read(d->input.context, iv + size, sizeof iv - size, &got, err);
        size += status == WEIR_ITEM ? got : 0;
    }
    if (status != WEIR_ITEM)
        return status < 0 ? status : damaged(d, err);
    return EVP_DecryptInit_ex(d->cipher, EVP_aes_256_cbc(), NULL, key, iv) == 1 ? WEIR_OK : damaged(d, err);
}

weir_status record_decrypt(weir_input input, const char *name, const unsigned char key[WEIR_BATCH_KEY_SIZE],
                           void (*take)(void *context, weir_bytes part), void *context, weir_error *err)
{
    decryption d = { .input = input, .name = name };
    size_t got = 0;
    int size = 0;
    weir_status status = WEIR_OK;

    d.cipher = EVP_CIPHER_CTX_new();
    d.sealed = weir__malloc(PART_SIZE);
    d.plain = weir__malloc(PART_SIZE);
    if (d.cipher == NULL || d.sealed == NULL || d.plain == NULL)
        status = weir__error_memory(err, "recording a batch file");
    if (status == WEIR_OK)
        status = begin(&d, key, err);
    for (bool more = true; more && status == WEIR_OK;) {
        status = input.read(input.context, d.sealed, PART_SIZE - BLOCK, &got, err);
        more = status == WEIR_ITEM;
        if (!more)
            continue;
        status = EVP_DecryptUpdate(d.cipher, d.plain, &size, d.sealed, (int)got) == 1 ? WEIR_OK
                                                                                      : damaged(&d, err);
        if (status == WEIR_OK && size > 0)
            take(context, (weir_bytes){ (char *)d.plain, (size_t)size });
    }
    if (status == WEIR_OK && EVP_DecryptFinal_ex(d.cipher, d.plain, &size) != 1)
        status = damaged(&d, err);
    if (status == WEIR_OK && size > 0)
        take(context, (weir_bytes){ (char *)d.plain, (size_t)size });
    EVP_CIPHER_CTX_free(d.cipher);
    weir__free(d.sealed);
    weir__free(d.plain);
    return status;
}
