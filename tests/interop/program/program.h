/* weir_interop: gRPC's official interoperability client and server on src/rpc. */
#ifndef WEIR_INTEROP_PROGRAM_H
#define WEIR_INTEROP_PROGRAM_H

#include "messages.h"
#include "rpc/client.h"
#include "rpc/server.h"

typedef struct flags {
    const char *server_host;
    int port; /* to listen on, or to connect to */
    const char *test_case;
    int soak_iterations;
    int soak_failures_max;
    int soak_iteration_ms_max;
    int soak_seconds;
    int soak_request_size;
    int soak_response_size;
} flags;

/* Both return the exit code. */
int run_server(const flags *f);
int run_client(const flags *f);

/* Ends the program with a message unless `condition` holds. */
#define REQUIRE(condition, ...)                             \
    do {                                                    \
        if (!(condition)) {                                 \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
            fprintf(stderr, __VA_ARGS__);                   \
            fprintf(stderr, "\n");                          \
            exit(1);                                        \
        }                                                   \
    } while (0)

#endif
