/* record/method: a table; see method.h. */
#include "record/method.h"

#include <string.h>
#include <wire/v2.h>

#define DESTINATION(call, label, in, out)                                                            \
    {                                                                                                \
        V2_DESTINATION_CONNECTOR_##call##_PATH, label, false, false, &weir__v2_##in, &weir__v2_##out \
    }
#define SOURCE(call, label, stream, in, out)                                                    \
    {                                                                                           \
        V2_SOURCE_CONNECTOR_##call##_PATH, label, true, stream, &weir__v2_##in, &weir__v2_##out \
    }

static const record_method methods[] = {
    SOURCE(CONFIGURATION_FORM, "ConfigurationForm", false, configuration_form_request,
           configuration_form_response),
    SOURCE(TEST, "Test", false, test_request, test_response),
    SOURCE(SCHEMA, "Schema", false, schema_request, schema_response),
    SOURCE(UPDATE, "Update", true, update_request, update_response),
    DESTINATION(CONFIGURATION_FORM, "ConfigurationForm", configuration_form_request,
                configuration_form_response),
    DESTINATION(CAPABILITIES, "Capabilities", capabilities_request, capabilities_response),
    DESTINATION(TEST, "Test", test_request, test_response),
    DESTINATION(DESCRIBE_TABLE, "DescribeTable", describe_table_request, describe_table_response),
    DESTINATION(CREATE_TABLE, "CreateTable", create_table_request, create_table_response),
    DESTINATION(ALTER_TABLE, "AlterTable", alter_table_request, alter_table_response),
    DESTINATION(TRUNCATE, "Truncate", truncate_request, truncate_response),
    DESTINATION(WRITE_BATCH, "WriteBatch", write_batch_request, write_batch_response),
    DESTINATION(WRITE_HISTORY_BATCH, "WriteHistoryBatch", write_history_batch_request, write_batch_response),
    DESTINATION(MIGRATE, "Migrate", migrate_request, migrate_response),
};

const record_method *record_methods(size_t *count)
{
    *count = sizeof methods / sizeof methods[0];
    return methods;
}

const record_method *record_method_find(weir_bytes path)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strlen(methods[i].path) == path.size && memcmp(methods[i].path, path.data, path.size) == 0)
            return &methods[i];
    return NULL;
}
