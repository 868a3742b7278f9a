/* source-mariadb: the program. */
#include "source.h"

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &mariadb_source);
}
