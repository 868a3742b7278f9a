/* sys/memory_file: memfd_create and mmap; see memory_file.h for the contract. */
#include "sys/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct weir_memory_file {
    int fd;
    char path[WEIR_MEMORY_FILE_PATH_SIZE];
    void *map; /* NULL while nothing is mapped */
    size_t map_size;
};

weir_status weir__memory_file_create(const char *name, weir_memory_file **out, weir_error *err)
{
    weir_memory_file *file = weir__calloc(1, sizeof *file);

    if (file == NULL)
        return weir__error_memory(err, "making a file in memory");
    file->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file->fd < 0) {
        weir__error(err, "make a file in memory: %s", strerror(errno));
        weir__free(file);
        return WEIR_FAILED;
    }
    snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
    *out = file;
    return WEIR_OK;
}

static void unmap(weir_memory_file *file)
{
    if (file->map != NULL)
        munmap(file->map, file->map_size);
    file->map = NULL;
    file->map_size = 0;
}

void weir__memory_file_close(weir_memory_file *file)
{
    if (file == NULL)
        return;
    unmap(file);
    close(file->fd);
    weir__free(file);
}

const char *weir__memory_file_path(const weir_memory_file *file)
{
    return file->path;
}

int weir__memory_file_descriptor(const weir_memory_file *file)
{
    return file->fd;
}

weir_status weir__memory_file_write(weir_memory_file *file, const void *data, size_t size, weir_error *err)
{
    const char *at = data;

    while (size > 0) {
        ssize_t done = write(file->fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return weir__error(err, "write to a file in memory: %s", strerror(errno));
        at += done;
        size -= (size_t)done;
    }
    return WEIR_OK;
}

static weir_status write_port(void *context, const void *data, size_t size, weir_error *err)
{
    return weir__memory_file_write(context, data, size, err);
}

weir_output weir__memory_file_output(weir_memory_file *file)
{
    weir_output output = { write_port, file };

    return output;
}

weir_status weir__memory_file_seal(weir_memory_file *file, weir_error *err)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

    if (fcntl(file->fd, F_ADD_SEALS, seals) != 0 || lseek(file->fd, 0, SEEK_SET) != 0)
        return weir__error(err, "seal a file in memory: %s", strerror(errno));
    return WEIR_OK;
}

weir_status weir__memory_file_bytes(weir_memory_file *file, weir_bytes *out, weir_error *err)
{
    struct stat info;
    void *map;

    unmap(file);
    if (fstat(file->fd, &info) != 0)
        return weir__error(err, "look at a file in memory: %s", strerror(errno));
    if (info.st_size == 0) {
        *out = (weir_bytes){ "", 0 };
        return WEIR_OK;
    }
    map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED)
        return weir__error(err, "map a file in memory: %s", strerror(errno));
    file->map = map;
    file->map_size = (size_t)info.st_size;
    *out = (weir_bytes){ map, file->map_size };
    return WEIR_OK;
}
