// The public headers as C++17: every declaration must be usable from a C++ connector.
#include <weir/weir.h>

#include <cassert>

int main()
{
    weir_cell cell = weir_long("id", 7);
    weir_cell missing = weir_string("text", nullptr);

    assert(cell.type == WEIR_LONG && cell.as.integer == 7);
    assert(missing.presence == WEIR_NULL);
    return 0;
}
