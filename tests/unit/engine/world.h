/* A fake source, a fake destination and a state folder for one test; and how to run a sync between them. */
#ifndef WEIR_TESTS_ENGINE_WORLD_H
#define WEIR_TESTS_ENGINE_WORLD_H

#include "fake.h"

#include "engine/sync.h"

typedef struct world {
    char folder[64];
    char state[96];
    fake_source source;
    fake_destination destination;
    engine_config config;
    engine_control control;
    engine_progress progress;
    sync_report report;
    weir_error err;
    plan *plan;    /* the schema configuration, when there is one */
    char file[96]; /* where it is */
    bool resync;
    const char *resync_table;
    int attempts;
    atomic_int warnings;
    char warning[256]; /* the last one */
    atomic_int retries;
} world;

static inline void world_event(void *context, const sync_event *event)
{
    world *w = context;

    if (event->kind == SYNC_WARNING) {
        atomic_fetch_add(&w->warnings, 1);
        snprintf(w->warning, sizeof w->warning, "%.*s", (int)event->text.size, event->text.data);
    }
    if (event->kind == SYNC_RETRY)
        atomic_fetch_add(&w->retries, 1);
}

static inline int world_set_up(void **state)
{
    world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    snprintf(w->folder, sizeof w->folder, "/tmp/weir-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->state, sizeof w->state, "%s/state", w->folder);
    fake_source_open(&w->source, w->folder);
    fake_destination_open(&w->destination, w->folder);
    w->attempts = 1;
    *state = w;
    return 0;
}

static inline int world_tear_down(void **state)
{
    world *w = *state;

    sync_report_clear(&w->report);
    plan_free(w->plan);
    fake_source_close(&w->source);
    fake_destination_close(&w->destination);
    assert_int_equal(weir__folder_remove(w->folder, NULL), WEIR_OK);
    free(w);
    return 0;
}

static inline weir_status world_run(world *w)
{
    sync_options options = { .source = w->source.where,
                             .destination = w->destination.where,
                             .source_config = &w->config,
                             .destination_config = &w->config,
                             .schema = "test",
                             .plan = w->plan,
                             .plan_file = w->file[0] ? w->file : NULL,
                             .folder = w->state,
                             .resync = w->resync,
                             .resync_table = w->resync_table,
                             .timeouts = engine_timeouts_default(),
                             .attempts = w->attempts,
                             .retry_delay_ms = 2,
                             .parallel = 3,
                             .control = &w->control,
                             .progress = &w->progress,
                             .event = world_event,
                             .context = w };

    sync_report_clear(&w->report);
    w->err.text[0] = '\0';
    return sync_run(&options, &w->report, &w->err);
}

static inline void assert_ok(world *w)
{
    if (world_run(w) != WEIR_OK)
        fail_msg("%s", w->err.text);
}

static inline void assert_fails(world *w, weir_status status, const char *text)
{
    assert_int_equal(world_run(w), status);
    if (strstr(w->err.text, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, w->err.text);
}

/* The files of batches must be gone whatever has happened. */
static inline void assert_no_files(world *w)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_folder_entry *entries;
    char path[128];
    size_t count;

    snprintf(path, sizeof path, "%s/spool", w->state);
    assert_int_equal(weir__folder_list(path, arena, &entries, &count, NULL), WEIR_OK);
    assert_int_equal(count, 0);
    weir__arena_free(arena);
}

#define UPSERT(call, table, ...) assert_true(fake_record(call, table, WEIR_UPSERT, WEIR_CELLS(__VA_ARGS__)))
#define UPDATE(call, table, ...) assert_true(fake_record(call, table, WEIR_UPDATE, WEIR_CELLS(__VA_ARGS__)))
#define DELETE(call, table, ...) assert_true(fake_record(call, table, WEIR_DELETE, WEIR_CELLS(__VA_ARGS__)))

#endif
