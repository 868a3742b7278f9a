/* sdk/source_main: a source served, and the program around it. */
#include <string.h>

#include "base/alloc.h"
#include "sdk/host.h"
#include "sdk/program.h"
#include "sdk/source.h"
#include "sdk/state.h"

_Static_assert(WEIR_SOURCE_METHODS <= WEIR_HOST_METHODS_MAX, "a host has room for every method");

weir_status weir__host_open_source(const weir_source *source, size_t size, const weir_host_options *options,
                                   weir_host **out, weir_error *err)
{
    weir_host *host = weir__calloc(1, sizeof *host);
    weir_source *copy;

    if (host == NULL)
        return weir__error_memory(err, "starting the source");
    copy = &host->definition.source;
    memcpy(copy, source, size < sizeof *copy ? size : sizeof *copy);
    weir__state_setup();
    if (weir__source_check(copy, err) != WEIR_OK) {
        weir__host_close(host);
        return WEIR_FAILED;
    }
    weir__source_connector(copy, &host->connector);
    weir__source_methods(&host->connector, host->methods);
    host->method_count = WEIR_SOURCE_METHODS;
    return weir__host_serve(host, options, out, err);
}

static weir_status open_source(const weir_program *program, const weir_host_options *options, weir_host **out,
                               weir_error *err)
{
    return weir__host_open_source(program->definition, program->size, options, out, err);
}

int weir__source_main(int argc, char **argv, const weir_source *source, size_t size)
{
    const weir_program program = {
        .name = source->name ? source->name : "",
        .kind = "source",
        .origin = "sdk_connector",
        .port_default = 50051,
        .form = &source->form,
        .tests = source->tests,
        .open = open_source,
        .definition = source,
        .size = size,
    };

    return weir__program_run(&program, argc, argv);
}
