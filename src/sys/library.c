/* sys/library: dlopen, and where to look first; see library.h for the contract. */
#include "sys/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct weir_library {
    void *handle;
    char *path;
};

/* Places beside the executable, from its own folder. */
static const char *const beside[] = { "", "../lib/weir/", "../lib/" };

static weir_status load(const char *path, weir_library **out, weir_error *err)
{
    weir_library *library = weir__calloc(1, sizeof *library);
    const char *reason;

    if (library != NULL)
        library->path = weir__copy_text(path, strlen(path));
    if (library == NULL || library->path == NULL) {
        weir__free(library);
        return weir__error(err, "out of memory opening the library '%s'", path);
    }
    library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        reason = dlerror();
        weir__error(err, "cannot load the library '%s': %s", path,
                    reason ? reason : "the loader gives no reason");
        weir__library_close(library);
        return WEIR_FAILED;
    }
    *out = library;
    return WEIR_OK;
}

/* A file that a person has named, or a folder of theirs. */
static weir_status open_chosen(const char *name, const char *chosen, weir_library **out, weir_error *err)
{
    char path[PATH_MAX];
    struct stat info;
    bool folder = stat(chosen, &info) == 0 && S_ISDIR(info.st_mode);
    /* A name without a slash would be looked for in the system's folders. */
    const char *here = strchr(chosen, '/') == NULL ? "./" : "";
    int size = snprintf(path, sizeof path, "%s%s%s%s", here, chosen, folder ? "/" : "", folder ? name : "");

    if (size < 0 || (size_t)size >= sizeof path)
        return weir__error(err, "cannot load the library '%s': the path is too long", chosen);
    if (access(path, F_OK) != 0)
        return weir__error_as(err, WEIR_NOT_FOUND, "no library at '%s': %s", path, strerror(errno));
    return load(path, out, err);
}

/* The executable's folder with its slash; empty when unknown. */
static void own_folder(char folder[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", folder, PATH_MAX - 1);

    while (size > 0 && folder[size - 1] != '/')
        size--;
    folder[size > 0 ? size : 0] = '\0';
}

weir_status weir__library_open(const char *name, const char *chosen, weir_library **out, weir_error *err)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    weir_error why = { 0 };
    weir_status status;

    if (chosen != NULL && chosen[0] != '\0')
        return open_chosen(name, chosen, out, err);
    own_folder(folder);
    for (size_t i = 0; folder[0] != '\0' && i < sizeof beside / sizeof *beside; i++) {
        int size = snprintf(path, sizeof path, "%s%s%s", folder, beside[i], name);

        if (size > 0 && (size_t)size < sizeof path && access(path, F_OK) == 0)
            return load(path, out, err);
    }
    status = load(name, out, &why);
    if (status == WEIR_OK)
        return status;
    /* The loader's text is the only sign of which file it is that was not found. */
    if (strstr(why.text, "cannot open shared object file") == NULL || strstr(why.text, name) == NULL) {
        if (err != NULL)
            *err = why;
        return WEIR_FAILED;
    }
    return weir__error_as(
        err, WEIR_NOT_FOUND,
        "no '%s' beside the program in '%s', in '%s../lib/weir', in '%s../lib', nor where the "
        "system looks for libraries",
        name, folder, folder, folder);
}

weir_status weir__library_symbol(weir_library *library, const char *name, weir_symbol *out, weir_error *err)
{
    void *found = dlsym(library->handle, name);

    if (found == NULL)
        return weir__error_as(err, WEIR_NOT_FOUND, "the library '%s' has no function '%s'", library->path,
                              name);
    memcpy(out, &found, sizeof found); /* C has no cast between the two kinds of pointer */
    return WEIR_OK;
}

const char *weir__library_path(const weir_library *library)
{
    return library->path;
}

void weir__library_close(weir_library *library)
{
    if (library == NULL)
        return;
    if (library->handle != NULL)
        dlclose(library->handle);
    weir__free(library->path);
    weir__free(library);
}
