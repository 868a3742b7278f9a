/* tests/sql/parquet: destination-parquet under the random driver. */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-parquet/main.c"
#undef main

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "main.h"
#include "sql/sql_internal.h"
#include "warm.h"

#define KILLS_A_DUCKDB 10 /* the connector's opens the folder anew after so many */

static bool stays; /* the connector's DuckDB, see warm.h */

/*
 * Every step of a commit is a place where the process may be killed: the parts are written and not yet
 * synced, the manifest has no name yet, and so on.
 */
static void may_die(void)
{
    if (weir__sql_watch != NULL)
        weir__sql_watch("");
}

/* --- what survives a loss of power --- */

/* Paths that have been synced since they were written or renamed; children that are killed add to it. */
static struct {
    size_t count;
    char paths[4096][512];
} * synced;
static char pending[4096]; /* a folder in which a manifest has got its name */

static void must(bool condition, const char *what, const char *path);

static void watch_begin(void)
{
    synced = mmap(NULL, sizeof *synced, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(synced != MAP_FAILED, "no memory to share", "");
}

static bool is_synced(const char *path)
{
    for (size_t i = 0; i < synced->count; i++)
        if (strcmp(synced->paths[i], path) == 0)
            return true;
    return false;
}

static void note_synced(const char *path)
{
    if (strcmp(path, pending) == 0)
        pending[0] = '\0';
    if (is_synced(path))
        return;
    must(synced->count < sizeof synced->paths / sizeof *synced->paths && strlen(path) < sizeof *synced->paths,
         "no room to note it", path);
    memcpy(synced->paths[synced->count++], path, strlen(path) + 1);
}

static void forget_synced(const char *path)
{
    for (size_t i = 0; i < synced->count; i++)
        if (strcmp(synced->paths[i], path) == 0) {
            synced->count--;
            memmove(synced->paths[i], synced->paths[synced->count], sizeof *synced->paths);
            break;
        }
}

static void must(bool condition, const char *what, const char *path)
{
    if (condition)
        return;
    fprintf(stderr, "%s: '%s'\n", what, path);
    abort();
}

/* Everything that the manifest names is on the disk before it gets its name, and so is the manifest. */
static void check_commit(const char *draft)
{
    char text[65536] = { 0 }, path[4096];
    FILE *file = fopen(draft, "re");
    size_t folder = (size_t)(strrchr(draft, '/') - draft);

    must(is_synced(draft), "a manifest gets its name before it is synced", draft);
    must(pending[0] == '\0', "another manifest before the folder was synced", pending);
    must(file != NULL && fread(text, 1, sizeof text - 1, file) > 0, "there is no manifest", draft);
    fclose(file);
    for (const char *at = strstr(text, "\"file\": \""); at != NULL; at = strstr(at + 9, "\"file\": \"")) {
        snprintf(path, sizeof path, "%.*s/%.*s", (int)folder, draft, (int)strcspn(at + 9, "\""), at + 9);
        must(is_synced(path), "a part is named before it is synced", path);
    }
    snprintf(pending, sizeof pending, "%.*s", (int)folder, draft);
}

static int watched_write(const char *path, const char *data, size_t size)
{
    may_die();
    forget_synced(path);
    return files_local.write(path, data, size);
}

static int watched_sync(const char *path)
{
    int code;

    may_die();
    code = files_local.sync(path);
    if (code == 0)
        note_synced(path);
    return code;
}

/* A table's folder may move as a whole, with all that is in it. */
static void move_synced(const char *from, const char *to)
{
    size_t size = strlen(from);
    char path[4096];

    for (size_t i = 0; i < synced->count; i++)
        if (strncmp(synced->paths[i], from, size) == 0 && synced->paths[i][size] == '/') {
            snprintf(path, sizeof path, "%s%s", to, synced->paths[i] + size);
            must(strlen(path) < sizeof *synced->paths, "no room to note it", path);
            memcpy(synced->paths[i], path, strlen(path) + 1);
        }
}

static int watched_rename(const char *from, const char *to)
{
    int code;

    may_die();
    if (strstr(to, MANIFEST_FILE) != NULL)
        check_commit(from);
    code = files_local.rename(from, to);
    if (code == 0)
        move_synced(from, to);
    return code;
}

/* --- the rest of the port --- */

static int watched_remove(const char *path)
{
    may_die();
    forget_synced(path);
    return files_local.remove(path);
}

static int watched_make_folder(const char *path)
{
    may_die();
    return files_local.make_folder(path);
}

static int watched_remove_folder(const char *path)
{
    may_die();
    return files_local.remove_folder(path);
}

/* --- what is left --- */

static char left[4096];

/* The lock stays, and so do schemas; nothing is in them. */
static int note_left(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    if ((kind == FTW_F && strstr(path, "/.weir-lock") == NULL) || (kind != FTW_F && at->level > 1))
        snprintf(left + strlen(left), sizeof left - strlen(left), "%s ", path + at->base);
    return 0;
}

static const char *leftovers(const subject *at, weir_arena *arena)
{
    left[0] = '\0';
    (void)nftw(strchr(at->read, ':') + 1, note_left, 8, FTW_PHYS);
    return weir__arena_printf(arena, "%s", left);
}

static int remove_any(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)at;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static void clean(const subject *at, const char *folder)
{
    char path[256];

    (void)at;
    store_close_all();
    snprintf(path, sizeof path, "%s/lake", folder);
    (void)nftw(path, remove_any, 8, FTW_PHYS | FTW_DEPTH);
}

/*
 * A process that is killed is a child of this one. The connector's DuckDB has no threads, and nothing in it
 * outlives a request, so it may stay; it takes long to start.
 */
static void before_kill(void *context)
{
    static unsigned kills;

    (void)context;
    must(pending[0] == '\0', "a request has ended before the folder was synced", pending);
    if (!stays || ++kills % KILLS_A_DUCKDB == 0)
        store_close_all();
}

/* Nothing is acknowledged that a loss of power would take away. */
static void end_session(void *session)
{
    store_close(session);
    must(pending[0] == '\0', "a request has ended before the folder was synced", pending);
}

int main(int argc, char **argv)
{
    weir_destination checked = destination;
    files_port watched = files_local;
    const subject tested = { .destination = &checked,
                             .limits = { .ignores_case = true, .checks_json = true },
                             .leftovers = leftovers,
                             .before_kill = before_kill,
                             .clean = clean };

    watched.write = watched_write;
    watched.sync = watched_sync;
    watched.rename = watched_rename;
    watched.remove = watched_remove;
    watched.make_folder = watched_make_folder;
    watched.remove_folder = watched_remove_folder;
    files = &watched;
    checked.close = end_session;
    watch_begin();
    stays = warm_begin(argc, argv);
    return random_main(argc, argv, &tested);
}
