/* Must not compile under -Werror: a status that ends the handler is thrown away (include/weir/call.h). */
#include <weir/weir.h>

weir_status handler(weir_call *call);

weir_status handler(weir_call *call)
{
    weir_task(call, "Grant access.");
    return WEIR_OK;
}
