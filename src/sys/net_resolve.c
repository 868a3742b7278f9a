/*
 * sys/net: from the text of a target to addresses.
 *
 * Numeric hosts and "localhost" are answered here, so that the name service (which a static program loads at
 * run time) is only asked for real names.
 */
#include "sys/net.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static weir_status bad_target(const char *text, const char *why, weir_error *err)
{
    return weir__error(err, "cannot use '%s' as a target: %s. Write HOST:PORT, [IPv6]:PORT or unix:PATH",
                       text, why);
}

weir_status weir__net_parse(const char *text, weir_net_target *out, weir_error *err)
{
    weir_net_target target = { 0 };
    const char *host = text;
    const char *colon = strrchr(text, ':');
    size_t host_size;
    char *end;
    long port;

    if (strlen(text) >= sizeof target.text)
        return bad_target(text, "it is too long", err);
    memcpy(target.text, text, strlen(text));
    if (strncmp(text, "unix:", 5) == 0) {
        const char *path = text + 5;

        if (strncmp(path, "//", 2) == 0)
            path += 2; /* the URL form, unix:///absolute/path */
        if (*path == '\0' || strlen(path) >= sizeof target.path)
            return bad_target(text, "the socket's path is empty or too long", err);
        target.local = true;
        memcpy(target.path, path, strlen(path));
        *out = target;
        return WEIR_OK;
    }
    if (colon == NULL)
        return bad_target(text, "the port is missing", err);
    host_size = (size_t)(colon - text);
    if (*host == '[') {
        if (host_size < 2 || host[host_size - 1] != ']')
            return bad_target(text, "the bracket is not closed before the port", err);
        host++;
        host_size -= 2;
    } else if (memchr(host, ':', host_size) != NULL) {
        return bad_target(text, "an IPv6 address stands in brackets", err);
    }
    if (host_size == 0 || host_size >= sizeof target.host)
        return bad_target(text, "the host is empty or too long", err);
    port = strtol(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port < 1 || port > 65535)
        return bad_target(text, "the port is no number from 1 to 65535", err);
    memcpy(target.host, host, host_size);
    target.port = (int)port;
    *out = target;
    return WEIR_OK;
}

static void keep(weir_net_address *out, const void *address, size_t size)
{
    *out = (weir_net_address){ .size = (uint32_t)size };
    memcpy(out->as.bytes, address, size);
}

static void keep_v4(weir_net_address *out, struct in_addr host, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr = host };

    keep(out, &address, sizeof address);
}

static void keep_v6(weir_net_address *out, struct in6_addr host, int port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                    .sin6_port = htons((uint16_t)port),
                                    .sin6_addr = host };

    keep(out, &address, sizeof address);
}

static weir_status ask_names(const weir_net_target *target, weir_net_address *out, size_t max, size_t *count,
                             weir_error *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *list = NULL;
    char port[8];
    int result;

    snprintf(port, sizeof port, "%d", target->port);
    result = getaddrinfo(target->host, port, &hints, &list);
    if (result != 0)
        return weir__error(err, "cannot find the host '%s': %s", target->host, gai_strerror(result));
    *count = 0;
    for (struct addrinfo *at = list; at != NULL && *count < max; at = at->ai_next)
        if (at->ai_addrlen <= sizeof out->as.bytes)
            keep(&out[(*count)++], at->ai_addr, at->ai_addrlen);
    freeaddrinfo(list);
    return *count > 0 ? WEIR_OK
                      : weir__error(err, "cannot find the host '%s': it has no address", target->host);
}

weir_status weir__net_resolve(const weir_net_target *target, weir_net_address *out, size_t max, size_t *count,
                              weir_error *err)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (target->local) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        memcpy(address.sun_path, target->path, sizeof address.sun_path);
        keep(&out[0], &address, sizeof address);
        *count = 1;
    } else if (inet_pton(AF_INET, target->host, &v4) == 1) {
        keep_v4(&out[0], v4, target->port);
        *count = 1;
    } else if (inet_pton(AF_INET6, target->host, &v6) == 1) {
        keep_v6(&out[0], v6, target->port);
        *count = 1;
    } else if (strcmp(target->host, "localhost") == 0 && max >= 2) {
        v4.s_addr = htonl(INADDR_LOOPBACK);
        keep_v4(&out[0], v4, target->port);
        keep_v6(&out[1], in6addr_loopback, target->port);
        *count = 2;
    } else {
        return ask_names(target, out, max, count, err);
    }
    return WEIR_OK;
}
