/* Must not compile: a group that depends on a member that is not there (include/weir/form.h). */
#include <weir/weir.h>

struct options {
    const char *host;
};

const weir_form wrong = WEIR_FORM(struct options,
                                  WEIR_WHEN_IS(struct options, mode, "a", WEIR_TEXT(struct options, host)));
