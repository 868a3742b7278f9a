/*
 * engine/config: a connector's configuration, a flat map from names to texts.
 *
 * Values are secrets until proven otherwise: they are never put into an error, a log or an argument list.
 */
#ifndef WEIR_ENGINE_CONFIG_H
#define WEIR_ENGINE_CONFIG_H

#include <weir/base.h>

#include "base/error.h"

typedef struct engine_setting {
    char *name;
    char *value;
} engine_setting;

typedef struct engine_config {
    engine_setting *settings; /* in the order of the file */
    size_t count;
} engine_config;

/*
 * Reads a JSON object whose values are strings; `file` is its name in errors, which give line, key and what
 * was expected. Anything else than a string as a value, a doubled key, or text after the object fails. *out
 * is released with engine_config_clear.
 */
weir_status engine_config_parse(weir_bytes text, const char *file, engine_config *out,
                                weir_error *err) WEIR_CHECKED;
/* The same from a file. */
weir_status engine_config_load(const char *file, engine_config *out, weir_error *err) WEIR_CHECKED;
void engine_config_clear(engine_config *config); /* wipes the values */

#endif
