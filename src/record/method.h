/* record/method: the calls of the protocol that a recording may hold, with the shapes of their messages. */
#ifndef WEIR_RECORD_METHOD_H
#define WEIR_RECORD_METHOD_H

#include <weir/base.h>

#include "wire/codec.h"

typedef struct record_method {
    const char *path; /* "/package.Service/Method" */
    const char *name;
    bool source; /* or the destination */
    bool stream;
    const weir_codec_message *request;
    const weir_codec_message *reply;
} record_method;

/* All of them; static. */
const record_method *record_methods(size_t *count);
/* NULL: none of these. */
const record_method *record_method_find(weir_bytes path);

#endif
