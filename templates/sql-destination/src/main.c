/* @NAME@: nothing but main, so that the tests can link the rest. */
#include "destination.h"

int main(int argc, char **argv)
{
    return weir_destination_main(argc, argv, &destination);
}
