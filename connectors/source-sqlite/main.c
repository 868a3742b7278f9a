/* source-sqlite: nothing but main, so that tests can link the rest. */
#include "source.h"

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &sqlite_source);
}
