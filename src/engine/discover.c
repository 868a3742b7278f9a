/* engine/discover: the Schema call alone; see discover.h. */
#include "engine/discover.h"

#include <string.h>

#include "engine/catalog.h"
#include "engine/remote.h"

static bool is_reserved(weir_bytes name)
{
    return name.size >= 10 && memcmp(name.data, "_fivetran_", 10) == 0;
}

static weir_status read_column(plan *p, weir_bytes schema, weir_bytes table, const v2_column *from,
                               weir_error *err)
{
    plan_column *column;

    if (from->name.size == 0 || is_reserved(from->name))
        return WEIR_OK;
    if (catalog_check_name("column", from->name, err) != WEIR_OK)
        return WEIR_FAILED;
    column = plan_edit_column(p, schema, table, from->name, err);
    if (column == NULL)
        return WEIR_FAILED;
    column->key = from->primary_key;
    return WEIR_OK;
}

static weir_status read_tables(plan *p, weir_bytes schema, const v2_table *tables, size_t count,
                               weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        const v2_table *table = &tables[i];

        if (table->name.size == 0)
            return weir__error(err, "the source told of a table without a name");
        status = catalog_check_name("table", table->name, err);
        if (status == WEIR_OK && plan_edit_table(p, schema, table->name, err) == NULL)
            status = WEIR_FAILED;
        for (size_t j = 0; j < table->columns_count && status == WEIR_OK; j++)
            status = read_column(p, schema, table->name, &table->columns[j], err);
    }
    return status;
}

static weir_status read_schemas(plan *p, const v2_schema_list *list, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < list->schemas_count && status == WEIR_OK; i++) {
        const v2_schema *schema = &list->schemas[i];

        if (schema->name.size == 0)
            return weir__error(err, "the source told of a schema without a name");
        status = catalog_check_name("schema", schema->name, err);
        if (status == WEIR_OK && plan_edit_schema(p, schema->name, err) == NULL)
            status = WEIR_FAILED;
        if (status == WEIR_OK)
            status = read_tables(p, schema->name, schema->tables, schema->tables_count, err);
    }
    return status;
}

weir_status discover_read(const v2_schema_response *reply, plan **out, weir_error *err)
{
    const v2_table_list *list;
    weir_bytes none = { "", 0 };
    plan *p = plan_new();
    weir_status status = WEIR_OK;

    if (p == NULL)
        return weir__error_memory(err, "reading a schema");
    if (reply->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA && reply->response.with_schema != NULL) {
        status = read_schemas(p, reply->response.with_schema, err);
    } else if (reply->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA &&
               reply->response.without_schema != NULL) {
        list = reply->response.without_schema;
        if (plan_edit_schema(p, none, err) == NULL)
            status = WEIR_FAILED;
        if (status == WEIR_OK)
            status = read_tables(p, none, list->tables, list->tables_count, err);
    } else {
        status = weir__error_as(err, WEIR_UNSUPPORTED,
                                "the source does not tell its schema; what it sends is listed by the first "
                                "weir sync --schema-config. To choose before that, weir schema edit "
                                "--unlisted tables (or schemas) takes any names");
    }
    if (status == WEIR_OK)
        *out = p;
    else
        plan_free(p);
    return status;
}

static void on_warning(void *context, weir_bytes text)
{
    const discover_options *options = context;

    options->log(options->context, "source", "WARNING", text);
}

static weir_status ask(const discover_options *options, const connector *source, plan **out, weir_error *err)
{
    const v2_schema_response *reply = NULL;
    engine_timeouts timeouts = engine_timeouts_default();
    remote_options to = { .name = connector_name(source),
                          .client = connector_client(source),
                          .config = options->config,
                          .timeouts = &timeouts,
                          .warn = on_warning,
                          .context = (void *)(uintptr_t)options };
    remote *r = remote_new(&to);
    weir_status status;

    if (r == NULL)
        return weir__error_memory(err, "asking a source for its schema");
    status = remote_schema(r, &reply, err);
    if (status == WEIR_OK && (status = discover_read(reply, out, err)) != WEIR_OK)
        (void)weir__error_prefix(err, "%s", connector_name(source));
    remote_free(r);
    return status;
}

weir_status discover_run(const discover_options *options, plan **out, weir_error *err)
{
    connector_options start = { .role = "source",
                                .where = options->source,
                                .folder = options->folder,
                                .connect_timeout_ms = engine_timeouts_default().connect_ms,
                                .lock = -1,
                                .log = options->log,
                                .context = options->context };
    connector *source = NULL;
    weir_status status = connector_open(&start, &source, err);

    if (status != WEIR_OK)
        return status;
    status = ask(options, source, out, err);
    if (status == WEIR_FAILED && err->transient)
        connector_explain(source, err);
    connector_close(source);
    return status;
}
