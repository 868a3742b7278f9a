/* destination-parquet/files: folders of this machine. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE_MAX 200 /* of the 255 bytes that file systems take */

static int local_size(const char *path, size_t *size)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return errno;
    *size = (size_t)info.st_size;
    return 0;
}

static int local_read(const char *path, char *data, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int code = fd < 0 ? errno : 0;

    while (code == 0 && size > 0) {
        ssize_t got = read(fd, data, size);

        if (got > 0) {
            data += got;
            size -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            code = got == 0 ? EIO : errno;
        }
    }
    if (fd >= 0)
        close(fd);
    return code;
}

static int local_write(const char *path, const char *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int code = fd < 0 ? errno : 0;

    while (code == 0 && size > 0) {
        ssize_t put = write(fd, data, size);

        if (put >= 0) {
            data += put;
            size -= (size_t)put;
        } else if (errno != EINTR) {
            code = errno;
        }
    }
    if (fd >= 0 && close(fd) != 0 && code == 0)
        code = errno;
    return code;
}

static int local_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int code = fd < 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return code;
}

static int local_rename(const char *from, const char *to)
{
    return rename(from, to) != 0 ? errno : 0;
}

static int local_remove(const char *path)
{
    return unlink(path) != 0 ? errno : 0;
}

static int local_make_folder(const char *path)
{
    return mkdir(path, 0755) != 0 && errno != EEXIST ? errno : 0;
}

static int local_remove_folder(const char *path)
{
    return rmdir(path) != 0 ? errno : 0;
}

static int local_list(const char *path, void (*found)(void *context, const char *name), void *context)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    if (folder == NULL)
        return errno;
    while ((entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            found(context, entry->d_name);
    closedir(folder);
    return 0;
}

const files_port files_local = {
    .size = local_size,
    .read = local_read,
    .write = local_write,
    .sync = local_sync,
    .rename = local_rename,
    .remove = local_remove,
    .make_folder = local_make_folder,
    .remove_folder = local_remove_folder,
    .list = local_list,
};

const files_port *files = &files_local;

/* --- names --- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

const char *files_name(weir_call *call, const char *text)
{
    size_t size = strlen(text), at = 0, cut = 0;
    char *out = weir_alloc(call, 3 * size + 32);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++) {
        cut = at <= NAME_SIZE_MAX - 20 ? at : cut;
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
        if (is_plain(text[i]))
            out[at++] = text[i];
        else
            at += (size_t)snprintf(out + at, 4, "%%%02X", (unsigned char)text[i]);
    }
    if (size == 0)
        return "%";
    if (at > NAME_SIZE_MAX)
        (void)snprintf(out + cut, 20, "~%016llx", (unsigned long long)hash);
    return out;
}

const char *files_part_name(weir_call *call)
{
    unsigned long long random[2] = { 0 };

    while (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        continue;
    return weir_printf(call, "part-%016llx%016llx.parquet", random[0], random[1]);
}
