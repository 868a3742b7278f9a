/*
 * rest-source: orders from a REST API, page by page, from where the last sync stopped.
 *
 * The API numbers every change of an order: GET /orders?after=N gives the changes after number N, oldest
 * first, and the number of the newest one. So the state is one number, each page ends with a checkpoint, and
 * a sync ends where the API stood when it began, however busy it is (R-SRC-11).
 */
#include "http.h"

struct options {
    const char *url;
    const char *token;
    int64_t page_size;
};

static const weir_table orders = {
    .name = "orders",
    WEIR_COLUMNS(
        { .name = "id", .type = WEIR_LONG, .key = true }, { .name = "customer", .type = WEIR_STRING },
        { .name = "total", .type = WEIR_DECIMAL, .params = { .precision = 12, .scale = 2 } },
        { .name = "paid", .type = WEIR_BOOLEAN }, { .name = "placed_at", .type = WEIR_UTC_DATETIME }),
};

static weir_status open_api(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    *session = http_new(opt->url, opt->token);
    return *session ? WEIR_OK : weir_fail(call, "out of memory connecting to '%s'", opt->url);
}

static void close_api(void *session)
{
    http_free(session);
}

static weir_status test_connect(weir_call *call)
{
    json_t *page = NULL;
    weir_status status = http_get(call, weir_session(call), "/orders?after=0&limit=1", &page);

    json_decref(page);
    return status;
}

/* One change: the whole order, or word that it is gone. */
static weir_status send_order(weir_call *call, weir_sync *out, json_t *item)
{
    const char *customer = NULL;
    const char *total = NULL;
    const char *placed = "";
    int paid = 0;
    int gone = 0;
    json_int_t id;
    weir_time at;

    if (json_unpack(item, "{s:I, s?:b, s?:s, s?:s, s?:b, s?:s}", "id", &id, "deleted", &gone, "customer",
                    &customer, "total", &total, "paid", &paid, "placed_at", &placed) != 0)
        return weir_fail(call, "the API sent an order of another shape than this connector knows");
    if (gone)
        return weir_delete(out, &orders, WEIR_CELLS(weir_long("id", id)));
    if (!weir_time_parse(WEIR_UTC_DATETIME, placed, strlen(placed), &at))
        return weir_fail(call, "order %lld was placed at '%.40s', which is no time", (long long)id, placed);
    return weir_upsert(out, &orders,
                       WEIR_CELLS(weir_long("id", id), weir_string("customer", customer),
                                  weir_decimal("total", total), weir_boolean("paid", paid),
                                  weir_utc_datetime("placed_at", at)));
}

/* The page after change number *at, which moves on; *last is the newest number there is. */
static weir_status send_page(weir_call *call, weir_sync *out, int64_t *at, int64_t *last)
{
    const struct options *opt = weir_options(call);
    const char *path = weir_printf(call, "/orders?after=%lld&limit=%lld", (long long)*at,
                                   (long long)opt->page_size);
    json_t *page = NULL;
    json_t *items;
    json_t *item;
    size_t i;
    json_int_t newest;
    weir_status status = http_get(call, weir_session(call), path, &page);

    if (status == WEIR_OK && json_unpack(page, "{s:o, s:I}", "changes", &items, "last", &newest) != 0)
        status = weir_fail(call, "the API's answer to '%s' lacks 'changes' or 'last'", path);
    if (status == WEIR_OK) {
        if (json_array_size(items) == 0)
            *at = newest;
        json_array_foreach(items, i, item)
        {
            *at = json_integer_value(json_object_get(item, "change"));
            status = send_order(call, out, item);
            if (status != WEIR_OK)
                break;
        }
        *last = newest;
    }
    json_decref(page);
    return status;
}

static weir_status update(weir_call *call, weir_sync *out)
{
    int64_t at = weir_state_long(out, "change", 0);
    int64_t stop = INT64_MAX; /* where the API stood when this sync began */
    weir_status status = WEIR_OK;

    while (status == WEIR_OK && at < stop && weir_running(call)) {
        int64_t last = stop;

        status = send_page(call, out, &at, &last);
        if (status != WEIR_OK)
            break;
        if (stop == INT64_MAX)
            stop = last;
        weir_state_set_long(out, "change", at);
        status = weir_checkpoint(out);
    }
    return status;
}

static const weir_source source = {
    .name = "rest",
    .form = WEIR_FORM(struct options,
                      WEIR_TEXT(struct options, url, .label = "API address",
                                .placeholder = "https://api.example.com/v1", .required = true),
                      WEIR_PASSWORD(struct options, token, .label = "API token", .required = true),
                      WEIR_INTEGER(struct options, page_size, .label = "Orders per page", .fallback = "200",
                                   .minimum = 1, .maximum = 1000)),
    .tests = WEIR_TESTS({ "connect", "Asking the API for an order", test_connect }),
    .open = open_api,
    .close = close_api,
    WEIR_TABLES(&orders),
    .update = update,
};

int main(int argc, char **argv)
{
    return http_setup() ? weir_source_main(argc, argv, &source) : 1;
}
