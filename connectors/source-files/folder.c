/* source-files: which files there are, and which table each belongs to. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "files.h"

#define FILES_MAX 200000
#define DEPTH_MAX 16

typedef struct listing {
    weir_call *call;
    file_list *files;
    size_t capacity;
} listing;

const char *folder_path(weir_call *call, const char *path)
{
    const options *opt = weir_options(call);

    return *path ? weir_printf(call, "%s/%s", opt->folder, path) : opt->folder;
}

weir_status folder_stat(weir_call *call, const char *path, int64_t *modified_ns, int64_t *size)
{
    struct stat info;

    if (stat(folder_path(call, path), &info) != 0) {
        if (errno == ENOENT)
            return WEIR_NOT_FOUND;
        return weir_fail(call, "cannot look at '%s': %s", path, strerror(errno));
    }
    *modified_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    *size = (int64_t)info.st_size;
    return WEIR_OK;
}

/* The byte between cells; 0 when the option is none. */
static char delimiter_of(const options *opt)
{
    const char *text = strcmp(opt->delimiter, "\\t") == 0 ? "\t" : opt->delimiter;
    bool fits = strlen(text) == 1 && (unsigned char)*text < 0x80 && strchr("\"\r\n", *text) == NULL;

    return fits ? *text : '\0';
}

/* The format that the name's ending stands for; false for files that are none of ours. */
static bool format_of(weir_call *call, const char *name, file_entry *file)
{
    const options *opt = weir_options(call);
    const char *dot = strrchr(name, '.');

    if (dot == NULL || name[0] == '.')
        return false;
    file->delimiter = delimiter_of(opt);
    if (strcasecmp(dot, ".csv") == 0) {
        file->format = FILE_CSV;
    } else if (strcasecmp(dot, ".tsv") == 0) {
        file->format = FILE_CSV;
        file->delimiter = '\t';
    } else if (strcasecmp(dot, ".json") == 0 || strcasecmp(dot, ".jsonl") == 0 ||
               strcasecmp(dot, ".ndjson") == 0) {
        file->format = FILE_JSON;
    } else {
        return false;
    }
    return true;
}

static weir_status add_file(listing *l, const char *path, const char *name)
{
    file_entry file = { .path = path };
    const char *slash = strchr(path, '/');
    file_list *files = l->files;
    weir_status status;

    if (!format_of(l->call, name, &file))
        return WEIR_OK;
    if (text_name_fault(path, strlen(path)) != NULL) {
        if (files->bad == NULL)
            files->bad = text_shown(l->call, path);
        return WEIR_OK;
    }
    file.table = slash ? weir_copy(l->call, path, (size_t)(slash - path))
                       : weir_copy(l->call, name, (size_t)(strrchr(name, '.') - name));
    status = folder_stat(l->call, path, &file.modified_ns, &file.size);
    if (status != WEIR_OK)
        return status == WEIR_NOT_FOUND ? WEIR_OK : status; /* gone since it was listed */
    if (files->count == FILES_MAX)
        return weir_task(l->call,
                         "The folder holds more than %d files. Move files that were read to another folder.",
                         FILES_MAX);
    if (files->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 64;
        file_entry *grown = weir_alloc(l->call, capacity * sizeof *grown);

        if (files->count > 0)
            memcpy(grown, files->items, files->count * sizeof *grown);
        files->items = grown;
        l->capacity = capacity;
    }
    files->items[files->count++] = file;
    return WEIR_OK;
}

static weir_status walk(listing *l, const char *path, int depth)
{
    const char *full = folder_path(l->call, path);
    weir_status status = WEIR_OK;
    DIR *folder = opendir(full);
    struct dirent *entry;

    if (folder == NULL)
        return weir_task(l->call, "Cannot open the folder '%s': %s. Check the path and its permissions.",
                         full, strerror(errno));
    while (status == WEIR_OK && (entry = readdir(folder)) != NULL) {
        const char *child = *path ? weir_printf(l->call, "%s/%s", path, entry->d_name)
                                  : weir_copy(l->call, entry->d_name, strlen(entry->d_name));
        struct stat info;

        if (entry->d_name[0] == '.' || stat(folder_path(l->call, child), &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX)
            status = walk(l, child, depth + 1);
        else if (S_ISDIR(info.st_mode))
            weir_warn(l->call, "The folder '%s' is %d folders deep; its files are not read.", child,
                      depth + 1);
        else if (S_ISREG(info.st_mode))
            status = add_file(l, child, entry->d_name);
    }
    closedir(folder);
    return status;
}

static int by_table_and_path(const void *left, const void *right)
{
    const file_entry *a = left;
    const file_entry *b = right;
    int order = strcmp(a->table, b->table);

    return order ? order : strcmp(a->path, b->path);
}

weir_status folder_list(weir_call *call, file_list *out)
{
    listing l = { .call = call, .files = out };
    weir_status status;

    *out = (file_list){ 0 };
    if (delimiter_of(weir_options(call)) == '\0')
        return weir_task(call,
                         "The delimiter '%s' is not one character of ASCII, or is a quote or a line end. "
                         "Set 'Delimiter' to the character between the cells, \\t for a tab.",
                         ((const options *)weir_options(call))->delimiter);
    status = walk(&l, "", 0);
    if (status == WEIR_OK && out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_table_and_path);
    return status;
}
