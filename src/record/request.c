/* record/request: see request.h. */
#include "record/request.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/utf8.h"

/* --- subject --- */

static record_answer find_names(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    record_subject *found = context;
    const char *name = place->field->name;
    const weir_codec_message *m = place->message;
    bool outermost = place->outer == NULL;

    (void)out;
    (void)err;
    if ((outermost && strcmp(name, "schema_name") == 0) ||
        (m == &weir__v2_migration_details && strcmp(name, "schema") == 0))
        found->schema = place->value;
    if ((outermost && strcmp(name, "table_name") == 0) ||
        (m == &weir__v2_table && strcmp(name, "name") == 0) ||
        (m == &weir__v2_migration_details && strcmp(name, "table") == 0))
        found->table = place->value;
    return RECORD_KEEP;
}

weir_status record_subject_find(const record_method *method, weir_bytes request, record_subject *out,
                                weir_error *err)
{
    record_subject found = { 0 };
    record_rewriter rewriter = { .ask = find_names, .context = &found };
    weir_buf copy;
    weir_status status;

    weir__buf_init(&copy, WEIR_RECORD_PAYLOAD_SIZE_MAX);
    status = record_rewrite(&rewriter, method->request, request, &copy, err);
    weir__buf_clear(&copy);
    if (status == WEIR_OK)
        *out = found;
    return status;
}

void record_subject_print(const record_subject *subject, char *out, size_t size)
{
    bool both = subject->schema.size > 0 && subject->table.size > 0;

    snprintf(out, size, "%.*s%s%.*s", both ? (int)subject->schema.size : 0, both ? subject->schema.data : "",
             both ? "." : "", (int)subject->table.size, subject->table.size > 0 ? subject->table.data : "");
    out[weir__utf8_prefix(out, strlen(out))] = '\0';
}

/* --- renewal --- */

static record_answer renew(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    const record_renewal *renewal = context;
    const char *name = place->field->name;
    size_t length = strlen(name);

    if (place->outer != NULL)
        return RECORD_KEEP;
    if (strcmp(name, "configuration") == 0 || strcmp(name, "keys") == 0)
        return RECORD_DROP;
    if (length < 6 || strcmp(name + length - 6, "_files") != 0)
        return RECORD_KEEP;
    for (size_t i = 0; i < renewal->file_count; i++) {
        weir_bytes path = renewal->files[i].path;

        if (!weir__bytes_equal(renewal->files[i].name, place->value))
            continue;
        if (weir__buf_put(out, path.data, path.size))
            return RECORD_REPLACE;
        weir__error_memory(err, "preparing a request");
        return RECORD_FAILED;
    }
    weir__error(err, "the recording lacks the batch file '%.*s'", (int)place->value.size, place->value.data);
    return RECORD_FAILED;
}

static bool put_entry(weir_buf *out, uint32_t number, weir_bytes key, weir_bytes value)
{
    weir_buf entry;
    bool fine;

    weir__buf_init(&entry, WEIR_MESSAGE_SIZE_MAX);
    fine = record_put_field(&entry, 1, key) && record_put_field(&entry, 2, value) &&
           record_put_field(out, number, weir__buf_bytes(&entry));
    if (entry.data != NULL)
        explicit_bzero(entry.data, entry.capacity);
    weir__buf_clear(&entry);
    return fine;
}

weir_status record_request_renew(const record_method *method, weir_bytes request,
                                 const record_renewal *renewal, weir_buf *out, weir_error *err)
{
    record_rewriter rewriter = { .ask = renew, .context = (void *)renewal };
    const weir_codec_field *config = record_field(method->request, "configuration");
    const weir_codec_field *keys = record_field(method->request, "keys");
    weir_status status = record_rewrite(&rewriter, method->request, request, out, err);
    bool fine = true;

    for (size_t i = 0; status == WEIR_OK && config != NULL && i < renewal->config_count && fine; i++)
        fine = put_entry(out, config->number, renewal->config[i].key, renewal->config[i].value);
    for (size_t i = 0; status == WEIR_OK && keys != NULL && i < renewal->file_count && fine; i++) {
        const record_batch_file *file = &renewal->files[i];

        fine = put_entry(out, keys->number, file->path,
                         (weir_bytes){ (const char *)file->key, sizeof file->key });
    }
    return fine ? status : weir__error_memory(err, "preparing a request");
}
