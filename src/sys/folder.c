/* sys/file: folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/file.h"

#define FOLDER_MODE 0700
#define DEPTH_MAX 64 /* folders within folders that weir__folder_remove goes into */

static weir_status folder_error(const char *what, const char *path, weir_error *err)
{
    int number = errno;

    if (number == ENOENT)
        return weir__error_as(err, WEIR_NOT_FOUND, "%s '%s': %s", what, path, strerror(number));
    return weir__error(err, "%s '%s': %s", what, path, strerror(number));
}

weir_status weir__folder_create(const char *path, weir_error *err)
{
    char *copy = weir__copy_text(path, strlen(path));
    weir_status status = WEIR_OK;
    struct stat info;

    if (copy == NULL)
        return weir__error_memory(err, "creating a folder");
    for (char *at = copy + 1; copy[0] != '\0' && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        (void)mkdir(copy, FOLDER_MODE); /* whether it worked is seen at the end of the path */
        *at = '/';
    }
    if (mkdir(copy, FOLDER_MODE) != 0 && errno != EEXIST)
        status = folder_error("create folder", path, err);
    else if (stat(copy, &info) != 0)
        status = folder_error("create folder", path, err);
    else if (!S_ISDIR(info.st_mode))
        status = weir__error(err, "create folder '%s': something else is there", path);
    weir__free(copy);
    return status;
}

weir_status weir__folder_check(const char *path, weir_error *err)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return folder_error("look at", path, err);
    return S_ISDIR(info.st_mode) ? WEIR_OK : weir__error(err, "'%s' is no folder", path);
}

weir_status weir__folder_sync(const char *path, weir_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    weir_status status = WEIR_OK;

    if (fd < 0)
        return folder_error("open folder", path, err);
    if (fsync(fd) != 0)
        status = folder_error("sync folder", path, err);
    close(fd);
    return status;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const weir_folder_entry *)a)->name, ((const weir_folder_entry *)b)->name);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Adds one entry; *room is the size of the array. False when out of memory. */
static bool add_entry(weir_folder_entry **list, size_t *count, size_t *room, const weir_folder_entry *entry)
{
    if (*count == *room) {
        size_t grown = *room ? *room * 2 : 64;
        weir_folder_entry *moved = weir__realloc_array(*list, grown, sizeof *moved);

        if (moved == NULL)
            return false;
        *list = moved;
        *room = grown;
    }
    (*list)[(*count)++] = *entry;
    return true;
}

/* All entries into a list on the heap, names in `arena`. */
static weir_status read_entries(DIR *folder, const char *path, weir_arena *arena, weir_folder_entry **list,
                                size_t *count, weir_error *err)
{
    size_t room = 0;
    struct dirent *found;

    errno = 0;
    while ((found = readdir(folder)) != NULL) {
        weir_folder_entry entry = { 0 };
        struct stat info;

        if (is_dots(found->d_name))
            continue;
        if (fstatat(dirfd(folder), found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno != ENOENT) /* gone since: not an entry any more */
                return folder_error("list folder", path, err);
            errno = 0;
            continue;
        }
        entry.name = weir__arena_copy(arena, found->d_name, strlen(found->d_name));
        entry.size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
        entry.modified_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
        entry.folder = S_ISDIR(info.st_mode);
        entry.regular = S_ISREG(info.st_mode);
        if (entry.name == NULL || !add_entry(list, count, &room, &entry))
            return weir__error_memory(err, "listing a folder");
        errno = 0;
    }
    return errno == 0 ? WEIR_OK : folder_error("list folder", path, err);
}

weir_status weir__folder_list(const char *path, weir_arena *arena, weir_folder_entry **out, size_t *count,
                              weir_error *err)
{
    weir_folder_entry *list = NULL;
    weir_folder_entry *kept;
    size_t found = 0;
    DIR *folder = opendir(path);
    weir_status status;

    if (folder == NULL)
        return folder_error("list folder", path, err);
    status = read_entries(folder, path, arena, &list, &found, err);
    closedir(folder);
    kept = status == WEIR_OK ? weir__arena_array(arena, found + 1, sizeof *kept) : NULL;
    if (status == WEIR_OK && kept == NULL)
        status = weir__error_memory(err, "listing a folder");
    if (status == WEIR_OK) {
        if (found > 0)
            memcpy(kept, list, found * sizeof *kept);
        qsort(kept, found, sizeof *kept, compare_entries);
        *out = kept;
        *count = found;
    }
    weir__free(list);
    return status;
}

/* Removes everything inside the folder open at `fd`, which is closed. 0, or an errno. */
static int remove_inside(int fd, int depth)
{
    DIR *folder = fdopendir(fd);
    struct dirent *found;
    int failed = 0;

    if (folder == NULL) {
        failed = errno;
        close(fd);
        return failed;
    }
    while (failed == 0 && (found = readdir(folder)) != NULL) {
        int inner;

        if (is_dots(found->d_name) || unlinkat(dirfd(folder), found->d_name, 0) == 0 || errno == ENOENT)
            continue;
        if (errno != EISDIR && errno != EPERM) {
            failed = errno;
            break;
        }
        inner = depth < DEPTH_MAX
                    ? openat(dirfd(folder), found->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    : -1;
        failed = inner < 0 ? (depth < DEPTH_MAX ? errno : ELOOP) : remove_inside(inner, depth + 1);
        if (failed == 0 && unlinkat(dirfd(folder), found->d_name, AT_REMOVEDIR) != 0 && errno != ENOENT)
            failed = errno;
    }
    closedir(folder);
    return failed;
}

weir_status weir__folder_remove(const char *path, weir_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? WEIR_OK : folder_error("remove folder", path, err);
    errno = remove_inside(fd, 0);
    if (errno == 0 && (rmdir(path) == 0 || errno == ENOENT))
        return WEIR_OK;
    return folder_error("remove folder", path, err);
}
