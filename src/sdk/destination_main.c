/* sdk/destination_main: a destination served, and the program around it. */
#include <string.h>

#include "base/alloc.h"
#include "sdk/destination.h"
#include "sdk/host.h"
#include "sdk/program.h"

_Static_assert(WEIR_DESTINATION_METHODS <= WEIR_HOST_METHODS_MAX, "a host has room for every method");

weir_status weir__host_open_destination(const weir_destination *destination, size_t size,
                                        const weir_host_options *options, weir_host **out, weir_error *err)
{
    weir_host *host = weir__calloc(1, sizeof *host);
    weir_destination *copy;

    if (host == NULL)
        return weir__error_memory(err, "starting the destination");
    copy = &host->definition.destination;
    memcpy(copy, destination, size < sizeof *copy ? size : sizeof *copy);
    if (weir__destination_check(copy, err) != WEIR_OK) {
        weir__host_close(host);
        return WEIR_FAILED;
    }
    weir__destination_connector(copy, &host->connector);
    weir__destination_methods(&host->connector, host->methods);
    host->method_count = WEIR_DESTINATION_METHODS;
    return weir__host_serve(host, options, out, err);
}

static weir_status open_destination(const weir_program *program, const weir_host_options *options,
                                    weir_host **out, weir_error *err)
{
    return weir__host_open_destination(program->definition, program->size, options, out, err);
}

int weir__destination_main(int argc, char **argv, const weir_destination *destination, size_t size)
{
    const weir_program program = {
        .name = destination->name ? destination->name : "",
        .kind = "destination",
        .origin = "sdk_destination",
        .port_default = 50052,
        .form = &destination->form,
        .tests = destination->tests,
        .open = open_destination,
        .definition = destination,
        .size = size,
    };

    return weir__program_run(&program, argc, argv);
}
