/*
 * shared-postgresql/wire: the bytes of COPY … (FORMAT binary).
 *
 *   header  "PGCOPY\n\377\r\n\0"  int32 flags  int32 extension size
 *   row     int16 fields, then per field: int32 size (-1 for NULL) and that many bytes
 *   end     int16 -1
 *
 * All numbers are big-endian. Times count microseconds (days for dates) from 2000-01-01.
 */
#ifndef POSTGRESQL_WIRE_H
#define POSTGRESQL_WIRE_H

#include <stdint.h>
#include <string.h>

#define WIRE_SIGNATURE "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define WIRE_SIGNATURE_SIZE ((size_t)19)
#define WIRE_EPOCH_SECONDS ((int64_t)946684800) /* 2000-01-01 since 1970-01-01 */
#define WIRE_EPOCH_DAYS ((int64_t)10957)
#define WIRE_MICROS ((int64_t)1000000)

static inline uint16_t wire_get16(const char *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return __builtin_bswap16(value);
}

static inline uint32_t wire_get32(const char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

static inline uint64_t wire_get64(const char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

static inline char *wire_put16(char *at, uint16_t value)
{
    value = __builtin_bswap16(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline char *wire_put32(char *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline char *wire_put64(char *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

#endif
