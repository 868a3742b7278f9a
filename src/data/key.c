/* data/key: canonical bytes (the layout stands in key.h) and SHA-256 over them, by libcrypto. */
#include "data/key.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/table.h"

#define ROW_BYTES_MAX (2 * WEIR_ROW_SIZE_MAX + 16 * WEIR_MIB) /* values, names and what stands between them */
#define ID_BYTES 20
#define NAN_BITS UINT64_C(0x7FF8000000000000)

static const char tags[WEIR_TYPE_COUNT] = {
    [WEIR_BOOLEAN] = 1,        [WEIR_SHORT] = 2,        [WEIR_INT] = 2,        [WEIR_LONG] = 2,
    [WEIR_DECIMAL] = 3,        [WEIR_FLOAT] = 4,        [WEIR_DOUBLE] = 4,     [WEIR_NAIVE_DATE] = 5,
    [WEIR_NAIVE_DATETIME] = 6, [WEIR_UTC_DATETIME] = 7, [WEIR_NAIVE_TIME] = 8, [WEIR_BINARY] = 9,
    [WEIR_XML] = 10,           [WEIR_STRING] = 11,      [WEIR_JSON] = 12,
};

/* The lowest `count` bytes of `value`, highest first. */
static size_t put_big_endian(uint64_t value, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (char)(value >> 8 * (count - 1 - i));
    return count;
}

static size_t put_real(double value, char *out)
{
    uint64_t bits;

    value += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &value, sizeof bits);
    return put_big_endian(value != value ? NAN_BITS : bits, 8, out);
}

static size_t put_run(weir_bytes bytes, char *out)
{
    put_big_endian(bytes.size, 8, out);
    if (bytes.size > 0)
        memcpy(out + 8, bytes.data, bytes.size);
    return 8 + bytes.size;
}

/* The canonical bytes after the tag; 0 when there are none. `out` has room for the run and 96 bytes. */
static size_t put_value(const weir_cell *cell, char *out)
{
    char normal[WEIR_DECIMAL_TEXT_MAX];
    size_t size;

    switch (cell->type) {
    case WEIR_BOOLEAN:
        *out = cell->as.boolean;
        return 1;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return put_big_endian((uint64_t)cell->as.integer, 8, out);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return put_real(cell->as.real, out);
    case WEIR_DECIMAL:
        size = weir__decimal_normal(cell->as.bytes.data, cell->as.bytes.size, normal);
        return size > 0 ? put_run((weir_bytes){ normal, size }, out) : 0;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        size = put_big_endian((uint64_t)cell->as.time.seconds, 8, out);
        return size + put_big_endian((uint32_t)cell->as.time.nanos, 4, out + size);
    case WEIR_BINARY:
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        return put_run(cell->as.bytes, out);
    case WEIR_UNSPECIFIED:
        break;
    }
    return 0;
}

static bool has_run(weir_type type)
{
    return type == WEIR_BINARY || type == WEIR_XML || type == WEIR_STRING || type == WEIR_JSON;
}

weir_status weir__key_put(weir_buf *out, const weir_cell *cell, weir_error *err)
{
    const char *column = cell->column ? cell->column : "";
    bool value = cell->presence == WEIR_VALUE;
    size_t room = 97 + (value && has_run(cell->type) ? cell->as.bytes.size : 0);
    char *at;
    size_t size;

    if (cell->presence == WEIR_UNMODIFIED)
        return weir__error(err, "column '%s': an unmodified cell has no value to compare", column);
    at = weir__buf_reserve(out, room);
    if (at == NULL)
        return weir__error_memory(err, "making a row's key");
    if (!value) {
        *at = 0;
        out->size++;
        return WEIR_OK;
    }
    *at = tags[cell->type];
    size = put_value(cell, at + 1);
    if (size == 0)
        return weir__error(err, "column '%s': the value of type %s is none", column,
                           weir_type_name(cell->type));
    out->size += 1 + size;
    return WEIR_OK;
}

struct weir_row_hasher {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    weir_buf bytes;
};

weir_row_hasher *weir__row_hasher_new(void)
{
    weir_row_hasher *hasher = weir__calloc(1, sizeof *hasher);

    if (hasher == NULL)
        return NULL;
    weir__buf_init(&hasher->bytes, ROW_BYTES_MAX);
    hasher->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->context = EVP_MD_CTX_new();
    if (hasher->sha256 != NULL && hasher->context != NULL)
        return hasher;
    weir__row_hasher_free(hasher);
    return NULL;
}

void weir__row_hasher_free(weir_row_hasher *hasher)
{
    if (hasher == NULL)
        return;
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->sha256);
    weir__buf_clear(&hasher->bytes);
    weir__free(hasher);
}

static weir_status put_named(weir_buf *bytes, const weir_cell *cell, weir_error *err)
{
    size_t size = strlen(cell->column);
    char *at = weir__buf_reserve(bytes, 8 + size);

    if (at == NULL)
        return weir__error_memory(err, "making a row's id");
    put_big_endian(size, 8, at);
    memcpy(at + 8, cell->column, size);
    bytes->size += 8 + size;
    return weir__key_put(bytes, cell, err);
}

weir_status weir__row_id(weir_row_hasher *hasher, const weir_row_cells *row, char out[WEIR_ROW_ID_SIZE],
                         weir_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    weir_status status;

    hasher->bytes.size = 0;
    for (size_t i = 0; i < row->count; i++) {
        const weir_cell *cell = &row->cells[row->order[i]];

        if (cell->presence == WEIR_NULL || weir__name_is_system(cell->column))
            continue;
        status = put_named(&hasher->bytes, cell, err);
        if (status != WEIR_OK)
            return status;
    }
    if (!EVP_DigestInit_ex2(hasher->context, hasher->sha256, NULL) ||
        !EVP_DigestUpdate(hasher->context, hasher->bytes.data, hasher->bytes.size) ||
        !EVP_DigestFinal_ex(hasher->context, digest, NULL))
        return weir__error(err, "making a row's id: SHA-256 failed");
    weir__base64url_encode(digest, ID_BYTES, out);
    return WEIR_OK;
}

static int compare_names(const void *a, const void *b, void *columns)
{
    const weir_column *table = columns;

    return strcmp(table[*(const uint32_t *)a].name, table[*(const uint32_t *)b].name);
}

void weir__row_order(const weir_column *columns, size_t count, uint32_t *order)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, compare_names, (void *)columns);
}
