/*
 * The service that is read. This one is made up and lives in memory, so that the project works before the
 * real one is there: keep the shape, and put calls of your API in its place.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct service service;

/* A change, as services with a change feed report it: the item as it is now, or that it is gone. */
typedef struct service_change {
    int64_t version; /* grows with every change: the cursor of the sync */
    int64_t id;
    const char *name; /* borrowed until service_close */
    int64_t updated;  /* seconds since 1970 */
    bool deleted;
} service_change;

/* NULL when the service does not accept the key. */
service *service_open(const char *api_key);
void service_close(service *s);
/* Up to `max` changes after `version`, the oldest first; returns how many, -1 on failure. */
int service_changes(service *s, int64_t version, service_change *out, int max);
const char *service_error(const service *s);

#endif
