// The public headers as C++17: every declaration must be usable from a C++ connector.
#include <weir/sql.h>
#include <weir/weir.h>

#include <cassert>

#include "form.h"

int main()
{
    weir_cell cell = weir_long("id", 7);
    weir_cell missing = weir_string("text", nullptr);

    assert(cell.type == WEIR_LONG && cell.as.integer == 7);
    assert(missing.presence == WEIR_NULL);
    assert(tests_form.options_size == sizeof(options) && tests_form.field_count == 4);
    assert(tests_form.fields[2].kind == WEIR_FIELD_GROUP && tests_form.fields[2].field_count == 2);
    return 0;
}
