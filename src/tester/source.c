/* tester/source: the source tester. */
#include "tester/setup.h"

weir_status source_tester_run(tester *t, weir_error *err)
{
    tester_setup *setup = NULL;
    weir_status status = tester_setup_open(t, &setup, err);

    tester_setup_close(setup);
    return status;
}
