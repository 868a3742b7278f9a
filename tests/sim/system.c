/*
 * tests/sim: the operating system. Inside a simulated process the clock, random bytes, files, the lock
 * and the state store's statements are the ones below: the real ones with a step before each, at which
 * the process may be killed, and failures by chance. What a killed process had open is closed when it is
 * buried, without a commit, as the system does.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define OPEN_MAX 256
#define WALL_MS INT64_C(1700000000000) /* when simulated time was zero */

static struct {
    sim_dice entropy;
    sim_dice chance; /* of faults */
    sim_dice limits;
    sim_faults faults;
    weir_file *files[OPEN_MAX];
    weir_lock *lock;
    sqlite3 *databases[OPEN_MAX];
} os;

void sim_system_reset(uint64_t seed)
{
    os.entropy.state = seed ^ 0x5EED;
    os.chance.state = seed ^ 0xFA017;
    os.limits.state = seed ^ 0x11417;
    os.faults = (sim_faults){ 0 };
}

void sim_faults_set(const sim_faults *faults)
{
    os.faults = *faults;
}

const sim_faults *sim_faults_get(void)
{
    return &os.faults;
}

sim_dice *sim_fault_dice(void)
{
    return &os.chance;
}

sim_dice *sim_limit_dice(void)
{
    return &os.limits;
}

static bool fails(unsigned one_in)
{
    return sim_inside() && one_in > 0 && sim_chance(&os.chance, one_in);
}

/* --- clock and chance --- */

int64_t __real_weir__clock_ns(void);
int64_t __wrap_weir__clock_ns(void);
int64_t __wrap_weir__clock_wall_ms(void);
int64_t __wrap_weir__clock_wall_ns(void);
void __wrap_weir__clock_sleep(int64_t duration_ns);
uint64_t __wrap_weir__entropy_seed(void);
weir_status __wrap_weir__entropy_fill(void *out, size_t size, weir_error *err);

int64_t __wrap_weir__clock_ns(void)
{
    return sim_inside() ? sim_now_ns() : __real_weir__clock_ns();
}

int64_t __wrap_weir__clock_wall_ms(void)
{
    return WALL_MS + sim_now_ns() / 1000000;
}

int64_t __wrap_weir__clock_wall_ns(void)
{
    return WALL_MS * 1000000 + sim_now_ns();
}

void __wrap_weir__clock_sleep(int64_t duration_ns)
{
    if (sim_inside())
        sim_sleep(duration_ns);
}

uint64_t __wrap_weir__entropy_seed(void)
{
    return sim_draw(&os.entropy);
}

weir_status __wrap_weir__entropy_fill(void *out, size_t size, weir_error *err)
{
    unsigned char *at = out;

    (void)err;
    for (size_t i = 0; i < size; i++)
        at[i] = (unsigned char)sim_draw(&os.entropy);
    return WEIR_OK;
}

/* --- files --- */

weir_status __real_weir__file_create(const char *path, weir_file **out, weir_error *err);
weir_status __real_weir__file_open(const char *path, weir_file **out, weir_error *err);
weir_status __real_weir__file_scratch(const char *path, weir_file **out, weir_error *err);
void __real_weir__file_close(weir_file *file);
weir_status __real_weir__file_remove(const char *path, weir_error *err);
weir_status __real_weir__folder_remove(const char *path, weir_error *err);
weir_status __real_weir__folder_create(const char *path, weir_error *err);
weir_status __wrap_weir__file_create(const char *path, weir_file **out, weir_error *err);
weir_status __wrap_weir__file_open(const char *path, weir_file **out, weir_error *err);
weir_status __wrap_weir__file_scratch(const char *path, weir_file **out, weir_error *err);
void __wrap_weir__file_close(weir_file *file);
weir_status __wrap_weir__file_remove(const char *path, weir_error *err);
weir_status __wrap_weir__folder_remove(const char *path, weir_error *err);
weir_status __wrap_weir__folder_create(const char *path, weir_error *err);
weir_output __wrap_weir__file_output(weir_file *file);

static weir_status disk_full(const char *path, weir_error *err)
{
    return weir__error(err, "write '%s': the disk is full; free some space and run again", path);
}

static void keep_file(weir_file *file)
{
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (os.files[i] == NULL) {
            os.files[i] = file;
            return;
        }
    abort();
}

weir_status __wrap_weir__file_create(const char *path, weir_file **out, weir_error *err)
{
    weir_status status;

    sim_step();
    if (fails(os.faults.files))
        return disk_full(path, err);
    status = __real_weir__file_create(path, out, err);
    if (status == WEIR_OK)
        keep_file(*out);
    sim_step();
    return status;
}

weir_status __wrap_weir__file_open(const char *path, weir_file **out, weir_error *err)
{
    weir_status status;

    sim_step();
    if (fails(os.faults.files))
        return weir__error(err, "open '%s': Input/output error", path);
    status = __real_weir__file_open(path, out, err);
    if (status == WEIR_OK)
        keep_file(*out);
    return status;
}

weir_status __wrap_weir__file_scratch(const char *path, weir_file **out, weir_error *err)
{
    weir_status status;

    sim_step();
    if (fails(os.faults.files))
        return disk_full(path, err);
    status = __real_weir__file_scratch(path, out, err);
    if (status == WEIR_OK)
        keep_file(*out);
    return status;
}

void __wrap_weir__file_close(weir_file *file)
{
    sim_step();
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (file != NULL && os.files[i] == file)
            os.files[i] = NULL;
    __real_weir__file_close(file);
}

weir_status __wrap_weir__file_remove(const char *path, weir_error *err)
{
    weir_status status;

    sim_step();
    status = __real_weir__file_remove(path, err);
    sim_step();
    return status;
}

weir_status __wrap_weir__folder_remove(const char *path, weir_error *err)
{
    sim_step();
    return __real_weir__folder_remove(path, err);
}

weir_status __wrap_weir__folder_create(const char *path, weir_error *err)
{
    sim_step();
    if (fails(os.faults.files))
        return disk_full(path, err);
    return __real_weir__folder_create(path, err);
}

/* A write may be cut short by a kill or a full disk: the first half is there. */
static weir_status write_some(void *context, const void *data, size_t size, weir_error *err)
{
    weir_status status = weir__file_write(context, data, size / 2, err);

    sim_step();
    if (status == WEIR_OK && fails(os.faults.files))
        return disk_full(weir__file_path(context), err);
    if (status == WEIR_OK)
        status = weir__file_write(context, (const char *)data + size / 2, size - size / 2, err);
    sim_step();
    return status;
}

weir_output __wrap_weir__file_output(weir_file *file)
{
    return (weir_output){ write_some, file };
}

/* --- the lock --- */

weir_status __real_weir__lock_take(const char *path, weir_lock **out, weir_error *err);
void __real_weir__lock_release(weir_lock *lock);
weir_status __wrap_weir__lock_take(const char *path, weir_lock **out, weir_error *err);
void __wrap_weir__lock_release(weir_lock *lock);

weir_status __wrap_weir__lock_take(const char *path, weir_lock **out, weir_error *err)
{
    weir_status status;

    sim_step();
    status = __real_weir__lock_take(path, out, err);
    if (status == WEIR_OK)
        os.lock = *out;
    sim_step();
    return status;
}

void __wrap_weir__lock_release(weir_lock *lock)
{
    sim_step();
    if (lock == os.lock)
        os.lock = NULL;
    __real_weir__lock_release(lock);
}

/* --- the state store --- */

int __real_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs);
int __real_sqlite3_close(sqlite3 *database);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **message);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs);
int __wrap_sqlite3_close(sqlite3 *database);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **message);

int __wrap_sqlite3_open_v2(const char *path, sqlite3 **out, int flags, const char *vfs)
{
    int code;

    sim_step();
    code = __real_sqlite3_open_v2(path, out, flags, vfs);
    for (size_t i = 0; code == SQLITE_OK && i < OPEN_MAX; i++)
        if (os.databases[i] == NULL) {
            os.databases[i] = *out;
            break;
        }
    return code;
}

static void forget(const sqlite3 *database)
{
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (os.databases[i] == database)
            os.databases[i] = NULL;
}

int __wrap_sqlite3_close(sqlite3 *database)
{
    sim_step();
    if (database != NULL)
        forget(database);
    return __real_sqlite3_close(database);
}

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    int code;

    sim_step();
    if (fails(os.faults.database))
        return SQLITE_FULL;
    code = __real_sqlite3_step(statement);
    sim_step();
    return code;
}

int __wrap_sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **),
                        void *context, char **message)
{
    int code;

    sim_step();
    if (strcmp(sql, "ROLLBACK") != 0 && fails(os.faults.database))
        return SQLITE_FULL;
    code = __real_sqlite3_exec(database, sql, row, context, message);
    sim_step();
    return code;
}

/* A killed process has neither committed nor tidied up. */
static void drop_database(sqlite3 *database)
{
    sqlite3_stmt *statement;

    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    while ((statement = sqlite3_next_stmt(database, NULL)) != NULL)
        sqlite3_finalize(statement);
    __real_sqlite3_close(database);
}

void sim_system_bury(void)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (os.databases[i] != NULL)
            drop_database(os.databases[i]);
        os.databases[i] = NULL;
        if (os.files[i] != NULL)
            __real_weir__file_close(os.files[i]);
        os.files[i] = NULL;
    }
    if (os.lock != NULL)
        __real_weir__lock_release(os.lock);
    os.lock = NULL;
}
