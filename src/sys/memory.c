/*
 * sys/memory: memfd_create, filled through a small window, then sealed. Filling by mapping would save a copy,
 * but a mapped page that cannot be had is a SIGBUS; a write that cannot is an error.
 */
#include "sys/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"

#define WINDOW_SIZE (256 * WEIR_KIB)

struct weir_memory {
    int fd;
    size_t size; /* written */
    size_t size_max;
    size_t waiting; /* content of the window that is not written yet */
    char path[32];
    char window[WINDOW_SIZE];
};

weir_status weir__memory_new(size_t size_max, weir_memory **out, weir_error *err)
{
    weir_memory *memory = weir__malloc(sizeof *memory);

    if (memory == NULL)
        return weir__error_memory(err, "making a file in memory");
    memory->size = 0;
    memory->size_max = size_max;
    memory->waiting = 0;
    memory->fd = memfd_create("weir", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory->fd < 0) {
        weir__error(err, "make a file in memory: %s", strerror(errno));
        weir__free(memory);
        return WEIR_FAILED;
    }
    snprintf(memory->path, sizeof memory->path, "/proc/self/fd/%d", memory->fd);
    *out = memory;
    return WEIR_OK;
}

void weir__memory_free(weir_memory *memory)
{
    if (memory == NULL)
        return;
    close(memory->fd);
    weir__free(memory);
}

static weir_status write_window(weir_memory *memory, weir_error *err)
{
    const char *at = memory->window;

    while (memory->waiting > 0) {
        ssize_t done = write(memory->fd, at, memory->waiting);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return weir__error(err, "fill a file in memory after %zu bytes: %s", memory->size,
                               strerror(errno));
        at += done;
        memory->size += (size_t)done;
        memory->waiting -= (size_t)done;
    }
    return WEIR_OK;
}

weir_status weir__memory_room(weir_memory *memory, void **data, size_t *size, weir_error *err)
{
    size_t left = memory->size_max - memory->size - memory->waiting;
    size_t room;

    if (memory->waiting == WINDOW_SIZE && write_window(memory, err) != WEIR_OK)
        return WEIR_FAILED;
    if (left == 0)
        return weir__error(err, "a file in memory may have %zu bytes, and has them", memory->size_max);
    room = WINDOW_SIZE - memory->waiting;
    *data = memory->window + memory->waiting;
    *size = room < left ? room : left;
    return WEIR_OK;
}

void weir__memory_add(weir_memory *memory, size_t count)
{
    memory->waiting += count;
}

weir_status weir__memory_seal(weir_memory *memory, weir_error *err)
{
    if (write_window(memory, err) != WEIR_OK)
        return WEIR_FAILED;
    if (fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0 ||
        lseek(memory->fd, 0, SEEK_SET) != 0)
        return weir__error(err, "seal a file in memory: %s", strerror(errno));
    return WEIR_OK;
}

size_t weir__memory_size(const weir_memory *memory)
{
    return memory->size + memory->waiting;
}

int weir__memory_descriptor(const weir_memory *memory)
{
    return memory->fd;
}

const char *weir__memory_path(const weir_memory *memory)
{
    return memory->path;
}
