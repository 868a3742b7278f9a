/* @NAME@: reads the changes of a service into one table, from where the last sync stopped. */
#include "source.h"

#include "service.h"

#define PAGE_SIZE 100 /* changes asked for at once, and between two checkpoints */

struct options {
    const char *api_key;
};

static const weir_table items = {
    .name = "items",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "name", .type = WEIR_STRING },
                 { .name = "updated", .type = WEIR_UTC_DATETIME }),
};

static weir_status open_session(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    *session = service_open(opt->api_key);
    if (*session == NULL)
        return weir_task(call, "The service does not accept the API key. Make a new one and enter it.");
    return WEIR_OK;
}

static void close_session(void *session)
{
    service_close(session);
}

static weir_status send(weir_sync *out, const service_change *change)
{
    if (change->deleted)
        return weir_delete(out, &items, WEIR_CELLS(weir_long("id", change->id)));
    return weir_upsert(out, &items,
                       WEIR_CELLS(weir_long("id", change->id), weir_string("name", change->name),
                                  weir_utc_datetime("updated", (weir_time){ change->updated, 0 })));
}

/* The setup test: what a person can get wrong fails here, and not in the first sync. */
static weir_status test_access(weir_call *call)
{
    service *s = weir_session(call);
    service_change first;

    return service_changes(s, 0, &first, 1) < 0 ? weir_fail(call, "Read items: %s", service_error(s))
                                                : WEIR_OK;
}

static weir_status update(weir_call *call, weir_sync *out)
{
    service *s = weir_session(call);
    int64_t version = weir_state_long(out, "version", 0); /* 0: the first sync reads everything */
    service_change page[PAGE_SIZE];
    int count = 0;
    weir_status status = WEIR_OK;

    while (status == WEIR_OK && weir_running(call) &&
           (count = service_changes(s, version, page, PAGE_SIZE)) > 0) {
        for (int i = 0; i < count; i++)
            send(out, &page[i]);
        version = page[count - 1].version;
        weir_state_set_long(out, "version", version);
        status = weir_checkpoint(out); /* the rows first, then the state that follows them */
    }
    return count < 0 ? weir_fail(call, "Read items: %s", service_error(s)) : status;
}

const weir_source source = {
    .name = "@NAME@",
    .form = WEIR_FORM(struct options,
                      WEIR_PASSWORD(struct options, api_key, .label = "API key", .required = true)),
    .tests = WEIR_TESTS({ "access", "Reading items", test_access }),
    WEIR_TABLES(&items),
    .open = open_session,
    .close = close_session,
    .update = update,
};
