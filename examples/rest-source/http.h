/*
 * rest-source/http: GET a JSON document, patiently.
 *
 * One http belongs to one session, so to one request at a time. What passes by itself (a lost connection, a
 * 429, a 5xx) is tried again with growing pauses, or after what Retry-After says; what a person must mend
 * (401, 403) is a task.
 */
#ifndef REST_SOURCE_HTTP_H
#define REST_SOURCE_HTTP_H

#include <jansson.h>
#include <weir/weir.h>

typedef struct http http;

/* Once, before threads. False: libcurl does not start. */
bool http_setup(void);
/* `base` ("https://api.example.com/v1") and `token` are copied. Owned; NULL when out of memory. */
http *http_new(const char *base, const char *token);
void http_free(http *h); /* accepts NULL */
/*
 * GETs `path` ("/orders?after=0") below the base. WEIR_OK: *out is owned by the caller (json_decref).
 * Otherwise the call has its text.
 */
weir_status http_get(weir_call *call, http *h, const char *path, json_t **out) WEIR_CHECKED;

#endif
