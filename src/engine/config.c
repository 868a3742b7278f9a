/* engine/config: jansson parses, this file insists on a flat map of strings; see config.h. */
#include "engine/config.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sys/file.h"

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    default:
        return "a string";
    }
}

/* The line on which "key" is written; 0 when escapes hide it. */
static size_t line_of(weir_bytes text, const char *key)
{
    size_t size = strlen(key);
    size_t line = 1;

    for (size_t i = 0; i + size + 2 <= text.size; i++) {
        line += text.data[i] == '\n';
        if (text.data[i] == '"' && memcmp(text.data + i + 1, key, size) == 0 &&
            text.data[i + 1 + size] == '"')
            return line;
    }
    return 0;
}

static weir_status refuse_value(weir_bytes text, const char *file, const char *key, const json_t *value,
                                weir_error *err)
{
    char hint[64] = "";

    if (json_is_true(value) || json_is_false(value))
        snprintf(hint, sizeof hint, "; write \"%s\"", json_is_true(value) ? "true" : "false");
    else if (json_is_number(value))
        snprintf(hint, sizeof hint, "; put the number in quotes");
    else if (json_is_null(value))
        snprintf(hint, sizeof hint, "; leave the key out or write \"\"");
    return weir__error(err, "configuration '%s', line %zu, key '%s': expected a string, found %s%s", file,
                       line_of(text, key), key, kind_of(value), hint);
}

static weir_status add(engine_config *config, const char *name, const json_t *value, weir_error *err)
{
    engine_setting *setting = &config->settings[config->count];

    setting->name = weir__copy_text(name, strlen(name));
    setting->value = weir__copy_text(json_string_value(value), json_string_length(value));
    config->count++;
    if (setting->name == NULL || setting->value == NULL)
        return weir__error_memory(err, "reading a configuration");
    return WEIR_OK;
}

static weir_status collect(json_t *root, weir_bytes text, const char *file, engine_config *config,
                           weir_error *err)
{
    weir_status status = WEIR_OK;
    const char *key;
    json_t *value;

    if (json_object_size(root) > WEIR_CONFIG_COUNT_MAX)
        return weir__error(err, "configuration '%s': %zu keys, at most %zu are allowed", file,
                           json_object_size(root), WEIR_CONFIG_COUNT_MAX);
    config->settings = weir__calloc(json_object_size(root), sizeof *config->settings);
    if (config->settings == NULL)
        return weir__error_memory(err, "reading a configuration");
    json_object_foreach(root, key, value)
    {
        if (!json_is_string(value))
            return refuse_value(text, file, key, value, err);
        if (strlen(json_string_value(value)) != json_string_length(value))
            return weir__error(err, "configuration '%s', key '%s': the value contains a NUL character", file,
                               key);
        status = add(config, key, value, err);
        if (status != WEIR_OK)
            return status;
    }
    return WEIR_OK;
}

weir_status engine_config_parse(weir_bytes text, const char *file, engine_config *out, weir_error *err)
{
    engine_config config = { 0 };
    weir_status status = WEIR_FAILED;
    json_error_t error;
    json_t *root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    char *near;

    if (root == NULL && (near = strstr(error.text, " near ")) != NULL)
        *near = '\0'; /* jansson quotes what it met, and that may be a secret */
    if (root == NULL)
        return weir__error(err,
                           "configuration '%s', line %d, column %d: %s; expected a JSON object of strings",
                           file, error.line, error.column, error.text);
    if (!json_is_object(root)) {
        weir__error(err, "configuration '%s': expected a JSON object like {\"key\": \"value\"}, found %s",
                    file, kind_of(root));
        goto out;
    }
    status = collect(root, text, file, &config, err);
    if (status != WEIR_OK)
        goto out;
    *out = config;
    config = (engine_config){ 0 };
out:
    engine_config_clear(&config);
    json_decref(root);
    return status;
}

weir_status engine_config_load(const char *file, engine_config *out, weir_error *err)
{
    weir_status status;
    weir_buf text;

    weir__buf_init(&text, WEIR_CONFIG_SIZE_MAX);
    status = weir__file_load(file, &text, err);
    if (status == WEIR_NOT_FOUND)
        status = weir__error(err, "configuration '%s': there is no such file", file);
    else if (status != WEIR_OK)
        weir__error_prefix(err, "configuration");
    if (status == WEIR_OK)
        status = engine_config_parse(weir__buf_bytes(&text), file, out, err);
    if (text.data != NULL)
        explicit_bzero(text.data, text.capacity);
    weir__buf_clear(&text);
    return status;
}

void engine_config_clear(engine_config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        if (config->settings[i].value != NULL)
            explicit_bzero(config->settings[i].value, strlen(config->settings[i].value));
        weir__free(config->settings[i].name);
        weir__free(config->settings[i].value);
    }
    weir__free(config->settings);
    *config = (engine_config){ 0 };
}
