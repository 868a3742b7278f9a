/*
 * cli/new: `weir new`. The project is made in a hidden folder beside its place and then renamed, so that
 * there is a whole project or none.
 *
 * libweir is found where this program belongs to, an installation or a folder it was built in; the place is
 * noted in the project's .weir/path, which is of this machine only and not committed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/templates.h"
#include "sys/file.h"

enum {
    DIR_OPTION,
    SDK,
    JSON,
    OPTION_COUNT,
    KIND = OPTION_COUNT,
    NAME
};

static const cli_option options[OPTION_COUNT] = {
    [DIR_OPTION] = { "--dir", "FOLDER", "where the project's folder is made (.)", false },
    [SDK] = { "--sdk", "FOLDER",
              "where the project finds libweir: an installation, a folder it was built in, or Weir's source "
              "tree (what this program belongs to)",
              false },
    [JSON] = { "--json", NULL, "end with one JSON object on standard output: folder, libweir, files", false },
};

static const char *const kinds[] = { "source", "destination", "sql-destination", NULL };

static const cli_argument arguments[] = {
    { "KIND", "source, destination (any store) or sql-destination (a store that speaks SQL)", kinds },
    { "NAME", "the connector's name: small letters, digits and hyphens, without \"test\"", NULL },
};

static const char examples[] =
    "examples:\n"
    "  weir new source acme-crm\n"
    "  cd acme-crm && make build_connector test\n"
    "\n"
    "  weir new sql-destination acme-warehouse --dir connectors --json\n"
    "  weir new destination acme-store --sdk /opt/weir\n"
    "\n"
    "The project works at once: it builds into one static executable, has tests that pass, documents to fill "
    "in and\n"
    "a workflow for CI. Its service or store is made up and stands in a file of its own, to be replaced.\n"
    "The folder must not be there yet, or be empty. Nothing is left when something fails.\n"
    "\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage.\n";

/* A project under way. */
typedef struct project {
    const char *kind;
    const char *name;
    const char *folder; /* where it will be */
    const char *sdk;    /* NULL: this program belongs to nothing that could be named */
    char *made;         /* where it is made */
    weir_arena *arena;
    json_t *files; /* their paths in the project */
    weir_error error;
} project;

/* --- what is asked for --- */

/*
 * The name becomes a folder, the executable and a word of documents; and the build lane takes no executable
 * with "test" in its name.
 */
static bool name_check(const char *name)
{
    size_t size = strlen(name);
    const char *wrong = NULL;

    if (size < 2 || size > WEIR_PROJECT_NAME_MAX)
        wrong = "has 2 to 40 characters";
    else if (!islower((unsigned char)name[0]))
        wrong = "begins with a small letter";
    else if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != size)
        wrong = "has small letters, digits and hyphens only: it names a folder, a program and a page";
    else if (name[size - 1] == '-' || strstr(name, "--") != NULL)
        wrong = "has single hyphens, between other characters";
    else if (strstr(name, "test") != NULL)
        wrong = "is without \"test\": the build lane takes programs with that word for tests and ships none "
                "of them";
    if (wrong != NULL)
        cli_error("a connector's name %s; '%s' is not like that", wrong, name);
    return wrong == NULL;
}

/* Nothing there, or an empty folder. */
static bool place_check(const project *p)
{
    struct stat entry;
    DIR *folder;
    size_t count = 0;

    if (lstat(p->folder, &entry) != 0) {
        if (errno == ENOENT)
            return true;
        cli_error("look at '%s': %s", p->folder, strerror(errno));
        return false;
    }
    folder = S_ISDIR(entry.st_mode) ? opendir(p->folder) : NULL;
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    if (count == 2) /* "." and ".." */
        return true;
    cli_error("'%s' is there already; choose another name, another --dir, or remove it", p->folder);
    return false;
}

static bool is_there(weir_arena *arena, const char *folder, const char *name)
{
    const char *path = weir__arena_printf(arena, "%s/%s", folder, name);

    return path != NULL && access(path, R_OK) == 0;
}

/* The folder that this program belongs to, when projects can find libweir in it. */
static const char *own_sdk(weir_arena *arena)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    char *end;

    if (size <= 0)
        return NULL;
    path[size] = '\0';
    for (int i = 0; i < 2; i++) { /* the program's name, then bin */
        end = strrchr(path, '/');
        if (end == NULL || end == path)
            return NULL;
        *end = '\0';
    }
    if (!is_there(arena, path, "weirConfig.cmake") && !is_there(arena, path, "include/weir/weir.h"))
        return NULL;
    return weir__arena_copy(arena, path, strlen(path));
}

static bool take_sdk(project *p, const char *chosen)
{
    char path[PATH_MAX];

    if (chosen == NULL) {
        p->sdk = own_sdk(p->arena);
        return true;
    }
    if (realpath(chosen, path) == NULL) {
        cli_error("--sdk '%s': %s", chosen, strerror(errno));
        return false;
    }
    if (!is_there(p->arena, path, "weirConfig.cmake") && !is_there(p->arena, path, "include/weir/weir.h")) {
        cli_error(
            "--sdk '%s' is neither an installation of Weir nor a folder it was built in nor its source tree",
            chosen);
        return false;
    }
    p->sdk = weir__arena_copy(p->arena, path, strlen(path));
    return p->sdk != NULL;
}

/* --- the files --- */

/* What stands for the name between @; NULL: nothing, and the @ is a plain character. */
static const char *value_of(const project *p, const char *name, size_t size)
{
    bool source = strcmp(p->kind, "source") == 0;
    const char *input = strcmp(p->kind, "destination") == 0
                            ? " --input-file tests/input.json"
                            : " --input-file tests/input.json --read sqlite:store.db";
    const struct {
        const char *name;
        const char *value;
    } values[] = {
        { "NAME", p->name },
        { "KIND", source ? "source" : "destination" },
        { "TEMPLATE", p->kind },
        { "VERSION", WEIR_VERSION },
        { "PORT", source ? "50051" : "50052" },
        { "PACKAGES", source ? "" : " libsqlite3-dev" },
        { "TRY", source ? " --fresh --check all" : input },
        { "LINK", source ? "" : "sqlite3 m dl " },
        { "LIBRARIES", source ? "" : "\n        LIBRARIES sqlite3 m dl" },
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strlen(values[i].name) == size && strncmp(values[i].name, name, size) == 0)
            return values[i].value;
    return NULL;
}

/* "acme-crm" as "Acme Crm". */
static bool put_title(weir_buf *out, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool first = c == name || c[-1] == '-';
        char letter = *c == '-' ? ' ' : first ? (char)toupper((unsigned char)*c) : *c;

        if (!weir__buf_put(out, &letter, 1))
            return false;
    }
    return true;
}

static bool fill_in(const project *p, weir_bytes text, weir_buf *out)
{
    const char *at = text.data;
    const char *end = text.data + text.size;

    while (at < end) {
        const char *mark = memchr(at, '@', (size_t)(end - at));
        const char *close = mark ? memchr(mark + 1, '@', (size_t)(end - mark - 1)) : NULL;
        size_t size = close ? (size_t)(close - mark - 1) : 0;
        const char *value = close ? value_of(p, mark + 1, size) : NULL;
        bool title = close != NULL && size == 5 && strncmp(mark + 1, "TITLE", 5) == 0;

        if (mark == NULL)
            return weir__buf_put(out, at, (size_t)(end - at));
        if (!weir__buf_put(out, at, (size_t)(mark - at)))
            return false;
        if (title ? !put_title(out, p->name) : !weir__buf_put_text(out, value ? value : "@"))
            return false;
        at = title || value ? close + 1 : mark + 1;
    }
    return true;
}

static weir_status make_folders(project *p, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *folder = weir__arena_printf(p->arena, "%s/%.*s", p->made, (int)(slash - path), path);

        if (folder == NULL)
            return weir__error_memory(&p->error, "making folders");
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return weir__error(&p->error, "make the folder '%s': %s", folder, strerror(errno));
    }
    return WEIR_OK;
}

/* False, with errno set, when not all could be written. */
static bool put_all(int fd, weir_bytes text)
{
    for (size_t done = 0; done < text.size;) {
        ssize_t size = write(fd, text.data + done, text.size - done);

        if (size < 0 && errno != EINTR)
            return false;
        done += size > 0 ? (size_t)size : 0;
    }
    return true;
}

/* A new file of the project; `mode` as for open, less what the umask takes. */
static weir_status write_file(project *p, const char *path, weir_bytes text, mode_t mode)
{
    const char *full = weir__arena_printf(p->arena, "%s/%s", p->made, path);
    weir_status status = make_folders(p, path);
    int fd = -1;

    if (status)
        return status;
    if (full == NULL || json_array_append_new(p->files, json_string(path)) != 0)
        return weir__error_memory(&p->error, "writing a file");
    fd = open(full, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    if (fd < 0 || !put_all(fd, text))
        status = weir__error(&p->error, "write '%s': %s", full, strerror(errno));
    if (fd >= 0 && close(fd) != 0 && status == WEIR_OK)
        status = weir__error(&p->error, "write '%s': %s", full, strerror(errno));
    return status;
}

static weir_status write_template(project *p, const template_file *file)
{
    weir_status status = WEIR_OK;
    weir_buf text;

    weir__buf_init(&text, WEIR_TEMPLATE_SIZE_MAX);
    if (!fill_in(p, file->text, &text))
        status = weir__error_memory(&p->error, "filling in a template");
    if (status == WEIR_OK)
        status = write_file(p, file->path, weir__buf_bytes(&text), 0666);
    /* The example is committed, its twin holds what is tried out: secrets, before long. */
    if (status == WEIR_OK && strcmp(file->path, "configuration.example.json") == 0)
        status = write_file(p, "configuration.json", weir__buf_bytes(&text), 0600);
    weir__buf_clear(&text);
    return status;
}

static weir_status write_all(project *p)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < template_file_count && status == WEIR_OK; i++)
        if (strcmp(template_files[i].kind, "common") == 0 || strcmp(template_files[i].kind, p->kind) == 0)
            status = write_template(p, &template_files[i]);
    if (status == WEIR_OK && p->sdk != NULL)
        status = write_file(p, ".weir/path", (weir_bytes){ p->sdk, strlen(p->sdk) }, 0666);
    return status;
}

static weir_status make(project *p)
{
    weir_error ignored;
    weir_status status;

    if (mkdir(p->made, 0777) != 0)
        return weir__error(&p->error, "make the folder '%s': %s", p->made, strerror(errno));
    status = write_all(p);
    if (status == WEIR_OK && rename(p->made, p->folder) != 0)
        status = weir__error(&p->error, "move the project to '%s': %s", p->folder, strerror(errno));
    if (status != WEIR_OK && weir__folder_remove(p->made, &ignored) != WEIR_OK)
        weir__error_prefix(&p->error, "'%s' is left behind (%s)", p->made, ignored.text);
    return status;
}

/* --- the command --- */

static bool print_result(const project *p, bool json)
{
    if (json) {
        json_t *root = json_pack("{s:s, s:s, s:s, s:s?, s:O}", "kind", p->kind, "name", p->name, "folder",
                                 p->folder, "sdk", p->sdk, "files", p->files);

        return cli_print_json(root);
    }
    printf("%s: %zu files\n", p->folder, json_array_size(p->files));
    if (p->sdk == NULL)
        printf("libweir is not beside this program: set WEIR_SDK, or WEIR_SDK_URL for make "
               "build_dependencies\n");
    printf("next:\n  cd %s\n  make build_connector test\n", p->folder);
    return fflush(stdout) == 0;
}

static int run_project(project *p, char **values)
{
    const char *parent = values[DIR_OPTION] ? values[DIR_OPTION] : ".";
    bool here = strcmp(parent, ".") == 0;
    struct stat entry;

    p->folder = here ? p->name : weir__arena_printf(p->arena, "%s/%s", parent, p->name);
    p->made = weir__arena_printf(p->arena, "%s/.%s.weir-%d", parent, p->name, (int)getpid());
    if (p->folder == NULL || p->made == NULL || p->files == NULL) {
        cli_error("out of memory");
        return CLI_FAILURE;
    }
    if (stat(parent, &entry) != 0 || !S_ISDIR(entry.st_mode)) {
        cli_error("--dir '%s' is no folder; make it first", parent);
        return CLI_USAGE;
    }
    if (!place_check(p) || !take_sdk(p, values[SDK]))
        return CLI_USAGE;
    if (make(p) != WEIR_OK) {
        cli_error("%s", p->error.text);
        return CLI_FAILURE;
    }
    if (print_result(p, values[JSON] != NULL))
        return CLI_SUCCESS;
    cli_error("'%s' is made, but the result could not be written to standard output", p->folder);
    return CLI_FAILURE;
}

static int run(char **values)
{
    project p = { .kind = values[KIND], .name = values[NAME] };
    int code;

    if (!name_check(p.name))
        return CLI_USAGE;
    p.arena = weir__arena_new(WEIR_TEMPLATE_SIZE_MAX);
    p.files = json_array();
    if (p.arena == NULL) {
        cli_error("out of memory");
        code = CLI_FAILURE;
    } else {
        code = run_project(&p, values);
    }
    json_decref(p.files);
    weir__arena_free(p.arena);
    return code;
}

const cli_command cli_new = {
    .name = "new",
    .summary = "make a project with a connector that works",
    .usage = "new source|destination|sql-destination NAME [--dir FOLDER] [--sdk FOLDER] [--json]",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .run = run,
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof arguments[0],
};
