/* sys/file: files. Errors read "open '/path': No such file or directory"; a full disk says what to do. */
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sys/entropy.h"

#define FILE_MODE 0600
#define PATH_SIZE_MAX 4096
#define WRITE_MAX ((size_t)1 << 30) /* one write(2) takes less than 2 GiB */
#define REPLACE_SUFFIX ".new"

struct weir_file {
    int fd;
    char *path;
};

struct weir_lock {
    int fd;
};

static weir_status io_error(const char *what, const char *path, weir_error *err)
{
    int number = errno;

    if (number == ENOSPC || number == EDQUOT)
        return weir__error(err, "%s '%s': the disk is full; free some space and run again", what, path);
    if (number == ENOENT)
        return weir__error_as(err, WEIR_NOT_FOUND, "%s '%s': %s", what, path, strerror(number));
    return weir__error(err, "%s '%s': %s", what, path, strerror(number));
}

static weir_status open_file(const char *path, int flags, weir_file **out, weir_error *err)
{
    weir_file *file = weir__calloc(1, sizeof *file);
    weir_status status = WEIR_OK;

    if (file == NULL)
        return weir__error_memory(err, "opening a file");
    file->fd = -1;
    file->path = weir__copy_text(path, strlen(path));
    if (file->path == NULL) {
        status = weir__error_memory(err, "opening a file");
        goto out;
    }
    do
        file->fd = open(path, flags | O_CLOEXEC, FILE_MODE);
    while (file->fd < 0 && errno == EINTR);
    if (file->fd < 0) {
        status = io_error(flags & O_CREAT ? "create" : "open", path, err);
        goto out;
    }
    *out = file;
    file = NULL;
out:
    weir__file_close(file);
    return status;
}

weir_status weir__file_create(const char *path, weir_file **out, weir_error *err)
{
    return open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, out, err);
}

weir_status weir__file_open(const char *path, weir_file **out, weir_error *err)
{
    weir_file *file = NULL;
    weir_status status = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, &file, err);
    struct stat info;

    if (status != WEIR_OK)
        return status;
    if (fstat(file->fd, &info) != 0)
        status = io_error("open", path, err);
    else if (!S_ISREG(info.st_mode))
        status = weir__error(err, "open '%s': it is not a regular file", path);
    if (status != WEIR_OK) {
        weir__file_close(file);
        return status;
    }
    *out = file;
    return WEIR_OK;
}

weir_status weir__file_open_named(const char *path, weir_file **out, weir_error *err)
{
    weir_file *file = NULL;
    weir_status status = open_file(path, O_RDONLY | O_NOCTTY, &file, err);
    struct stat info;

    if (status != WEIR_OK)
        return status;
    if (fstat(file->fd, &info) != 0)
        status = io_error("open", path, err);
    else if (S_ISDIR(info.st_mode))
        status = weir__error(err, "open '%s': it is a folder", path);
    if (status != WEIR_OK) {
        weir__file_close(file);
        return status;
    }
    *out = file;
    return WEIR_OK;
}

void weir__file_close(weir_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    weir__free(file->path);
    weir__free(file);
}

weir_status weir__file_write(weir_file *file, const void *data, size_t size, weir_error *err)
{
    const char *at = data;

    while (size > 0) {
        ssize_t done = write(file->fd, at, size < WRITE_MAX ? size : WRITE_MAX);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_error("write", file->path, err);
        at += done;
        size -= (size_t)done;
    }
    return WEIR_OK;
}

weir_status weir__file_read(weir_file *file, void *data, size_t size, size_t *got, weir_error *err)
{
    ssize_t done;

    do
        done = read(file->fd, data, size < WRITE_MAX ? size : WRITE_MAX);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return io_error("read", file->path, err);
    if (done == 0)
        return WEIR_OK;
    *got = (size_t)done;
    return WEIR_ITEM;
}

weir_status weir__file_scratch(const char *folder, weir_file **out, weir_error *err)
{
    char path[PATH_SIZE_MAX];
    weir_file *file = NULL;
    uint64_t name = weir__entropy_seed();
    weir_status status;

    if ((size_t)snprintf(path, sizeof path, "%s/%016llx.scratch", folder, (unsigned long long)name) >=
        sizeof path)
        return weir__error(err, "create a file in '%s': the path is too long", folder);
    status = open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, &file, err);
    if (status == WEIR_OK)
        status = weir__file_remove(path, err);
    if (status != WEIR_OK) {
        weir__file_close(file);
        return status;
    }
    *out = file;
    return WEIR_OK;
}

weir_status weir__file_read_at(weir_file *file, uint64_t offset, void *data, size_t size, weir_error *err)
{
    char *at = data;

    while (size > 0) {
        ssize_t done = pread(file->fd, at, size < WRITE_MAX ? size : WRITE_MAX, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_error("read", file->path, err);
        if (done == 0)
            return weir__error(err, "read '%s': it ends too early", file->path);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return WEIR_OK;
}

weir_status weir__file_sync(weir_file *file, weir_error *err)
{
    return fsync(file->fd) == 0 ? WEIR_OK : io_error("sync", file->path, err);
}

weir_status weir__file_size(weir_file *file, uint64_t *size, weir_error *err)
{
    struct stat info;

    if (fstat(file->fd, &info) != 0)
        return io_error("look at", file->path, err);
    *size = (uint64_t)info.st_size;
    return WEIR_OK;
}

weir_status weir__file_room(weir_file *file, uint64_t *bytes, weir_error *err)
{
    struct statvfs disk;

    if (fstatvfs(file->fd, &disk) != 0)
        return io_error("look at the disk of", file->path, err);
    *bytes = disk.f_blocks > 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : UINT64_MAX;
    return WEIR_OK;
}

weir_status weir__file_private(weir_file *file, bool *is_private, weir_error *err)
{
    struct stat info;

    if (fstat(file->fd, &info) != 0)
        return io_error("look at", file->path, err);
    *is_private = (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    return WEIR_OK;
}

const char *weir__file_path(const weir_file *file)
{
    return file->path;
}

static weir_status output_write(void *context, const void *data, size_t size, weir_error *err)
{
    return weir__file_write(context, data, size, err);
}

static weir_status input_read(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    return weir__file_read(context, data, size, got, err);
}

weir_output weir__file_output(weir_file *file)
{
    return (weir_output){ output_write, file };
}

weir_input weir__file_input(weir_file *file)
{
    return (weir_input){ input_read, file };
}

weir_status weir__file_rename(const char *from, const char *to, weir_error *err)
{
    if (rename(from, to) == 0)
        return WEIR_OK;
    weir_status status = io_error("rename", from, err);

    weir__error_prefix(err, "put a file at '%s'", to);
    return status;
}

weir_status weir__file_link(const char *target, const char *path, weir_error *err)
{
    return symlink(target, path) == 0 ? WEIR_OK : io_error("create", path, err);
}

weir_status weir__file_remove(const char *path, weir_error *err)
{
    return unlink(path) == 0 || errno == ENOENT ? WEIR_OK : io_error("remove", path, err);
}

void weir__file_drop(const char *path)
{
    (void)unlink(path);
}

weir_status weir__file_load(const char *path, weir_buf *out, weir_error *err)
{
    size_t start = out->size;
    weir_file *file = NULL;
    weir_status status = weir__file_open_named(path, &file, err);

    if (status != WEIR_OK)
        return status;
    do {
        size_t got = 0;
        size_t room = 64 * WEIR_KIB;
        char *at = weir__buf_reserve(out, room);

        if (at == NULL && out->size < out->size_max) {
            room = out->size_max - out->size;
            at = weir__buf_reserve(out, room);
        }
        if (at == NULL) {
            char byte;

            status = weir__file_read(file, &byte, 1, &got, err);
            if (status == WEIR_ITEM)
                status = weir__error(err, "read '%s': it is larger than %zu bytes, or memory ran out", path,
                                     out->size_max - start);
            continue;
        }
        status = weir__file_read(file, at, room, &got, err);
        out->size += status == WEIR_ITEM ? got : 0;
    } while (status == WEIR_ITEM);
    if (status != WEIR_OK)
        out->size = start;
    weir__file_close(file);
    return status;
}

/* The folder of `path`, in `out` of PATH_SIZE_MAX bytes. */
static weir_status folder_of(const char *path, char *out, weir_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);

    if (size >= PATH_SIZE_MAX)
        return weir__error(err, "open '%s': the path is too long", path);
    if (slash == NULL)
        snprintf(out, PATH_SIZE_MAX, ".");
    else if (size == 0)
        snprintf(out, PATH_SIZE_MAX, "/");
    else
        snprintf(out, PATH_SIZE_MAX, "%.*s", (int)size, path);
    return WEIR_OK;
}

static weir_status write_new(const char *path, const void *data, size_t size, weir_error *err)
{
    weir_file *file = NULL;
    weir_status status = weir__file_remove(path, err); /* what an earlier attempt has left */

    if (status == WEIR_OK)
        status = weir__file_create(path, &file, err);
    if (status == WEIR_OK)
        status = weir__file_write(file, data, size, err);
    if (status == WEIR_OK)
        status = weir__file_sync(file, err);
    weir__file_close(file);
    return status;
}

/* `beside` gets the mode of the file that it replaces; its owner too, where that is allowed. */
static weir_status copy_mode(const char *path, const char *beside, weir_error *err)
{
    struct stat old;

    if (stat(path, &old) != 0 || !S_ISREG(old.st_mode))
        return WEIR_OK; /* there is none, or the rename says what is wrong */
    if ((old.st_uid != geteuid() || old.st_gid != getegid()) && chown(beside, old.st_uid, old.st_gid) != 0)
        return WEIR_OK; /* it stays ours alone */
    return chmod(beside, old.st_mode & 0777) == 0 ? WEIR_OK : io_error("set the mode of", beside, err);
}

weir_status weir__file_replace(const char *path, const void *data, size_t size, weir_error *err)
{
    char folder[PATH_SIZE_MAX];
    char beside[PATH_SIZE_MAX + sizeof REPLACE_SUFFIX];
    char linked[PATH_SIZE_MAX];
    weir_status status;

    if (realpath(path, linked) != NULL)
        path = linked;
    status = folder_of(path, folder, err);
    if (status == WEIR_OK && strlen(path) + sizeof REPLACE_SUFFIX > PATH_SIZE_MAX)
        status = weir__error(err, "write '%s': the path is too long", path);
    if (status != WEIR_OK)
        return status;
    snprintf(beside, sizeof beside, "%s" REPLACE_SUFFIX, path);
    status = write_new(beside, data, size, err);
    if (status == WEIR_OK)
        status = copy_mode(path, beside, err);
    if (status == WEIR_OK)
        status = weir__file_rename(beside, path, err);
    if (status == WEIR_OK)
        return weir__folder_sync(folder, err);
    unlink(beside);
    return status;
}

weir_status weir__lock_take(const char *path, weir_lock **out, weir_error *err)
{
    weir_lock *lock = weir__calloc(1, sizeof *lock);
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    weir_status status = WEIR_OK;

    if (lock == NULL)
        return weir__error_memory(err, "taking a lock");
    lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (lock->fd < 0)
        status = io_error("open", path, err);
    else if (fcntl(lock->fd, F_OFD_SETLK, &whole) != 0)
        status = errno == EAGAIN || errno == EACCES
                     ? weir__error_as(err, WEIR_TASK,
                                      "lock '%s': another process holds it; let it finish or stop it", path)
                     : io_error("lock", path, err);
    if (status != WEIR_OK) {
        weir__lock_release(lock);
        return status;
    }
    *out = lock;
    return WEIR_OK;
}

void weir__lock_release(weir_lock *lock)
{
    if (lock == NULL)
        return;
    if (lock->fd >= 0)
        close(lock->fd);
    weir__free(lock);
}

int weir__lock_descriptor(const weir_lock *lock)
{
    return lock->fd;
}
