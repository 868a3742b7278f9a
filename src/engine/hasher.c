/* engine/hasher: OpenSSL's HMAC, keyed once and started anew for each value; see hash.h. */
#include "engine/hasher.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/alloc.h"
#include "base/map.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/text.h"
#include "data/type.h"

struct hasher {
    EVP_MAC *mac;
    EVP_MAC_CTX *context;
};

hasher *hasher_new(const unsigned char salt[ENGINE_SALT_SIZE])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };
    hasher *h = weir__calloc(1, sizeof *h);

    if (h == NULL)
        return NULL;
    h->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    h->context = h->mac ? EVP_MAC_CTX_new(h->mac) : NULL;
    if (h->context == NULL || EVP_MAC_init(h->context, salt, ENGINE_SALT_SIZE, params) != 1) {
        hasher_free(h);
        return NULL;
    }
    return h;
}

void hasher_free(hasher *h)
{
    if (h == NULL)
        return;
    EVP_MAC_CTX_free(h->context);
    EVP_MAC_free(h->mac);
    weir__free(h);
}

/* The bytes that are hashed; `room` holds those of a value that is no run of bytes. */
static weir_status hashed_bytes(const weir_cell *cell, char room[WEIR_TEXT_FIXED_MAX], weir_bytes *out)
{
    size_t size;

    if (cell->type == WEIR_DECIMAL) {
        /* Equal numbers are written in several ways: R-DST-07. */
        size = weir__decimal_normal(cell->as.bytes.data, cell->as.bytes.size, room);
    } else if (weir__type_is_bytes(cell->type)) {
        *out = cell->as.bytes;
        return WEIR_OK;
    } else {
        size = weir__text_format(cell, room);
    }
    if (size == 0 || size == WEIR_TEXT_NONE)
        return WEIR_FAILED;
    *out = (weir_bytes){ room, size };
    return WEIR_OK;
}

weir_status hasher_cell(hasher *h, const weir_cell *cell, char out[ENGINE_HASH_SIZE], weir_error *err)
{
    unsigned char digest[32];
    char room[WEIR_TEXT_FIXED_MAX];
    weir_bytes bytes;
    size_t size = 0;

    if (hashed_bytes(cell, room, &bytes) != WEIR_OK)
        return weir__error(err, "a value to be hashed is no %s", weir_type_name(cell->type));
    if (EVP_MAC_init(h->context, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(h->context, (const unsigned char *)bytes.data, bytes.size) != 1 ||
        EVP_MAC_final(h->context, digest, &size, sizeof digest) != 1)
        return weir__error_memory(err, "hashing a value");
    weir__base64_encode(digest, sizeof digest, out);
    return WEIR_OK;
}
