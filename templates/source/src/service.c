/* The made-up service: four changes in memory. Replace this file. */
#include "service.h"

#include <stdlib.h>
#include <string.h>

struct service {
    const char *error;
};

static const service_change changes[] = {
    { 1, 1, "Ada", 1700000000, false },
    { 2, 2, "Grace", 1700000060, false },
    { 3, 3, "Barbara", 1700000120, false },
    { 4, 1, "Ada", 1700000180, true },
};

service *service_open(const char *api_key)
{
    service *s = strcmp(api_key, "expired") == 0 ? NULL : malloc(sizeof *s);

    if (s != NULL)
        s->error = "";
    return s;
}

void service_close(service *s)
{
    free(s);
}

int service_changes(service *s, int64_t version, service_change *out, int max)
{
    int count = 0;

    s->error = "";
    for (size_t i = 0; i < sizeof changes / sizeof changes[0] && count < max; i++)
        if (changes[i].version > version)
            out[count++] = changes[i];
    return count;
}

const char *service_error(const service *s)
{
    return s->error;
}
