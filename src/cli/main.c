/* cli/main: nothing but main, so that tests can link the rest. */
#include <malloc.h>

#include "base/limits.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
    /* Large blocks go back to the system when they are freed, whatever was freed before them (R-ENG-08). */
    mallopt(M_MMAP_THRESHOLD, (int)WEIR_ROW_LARGE);
    return cli_main(argc, argv);
}
