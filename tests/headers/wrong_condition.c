/* Must not compile: a group that is shown when a text "is true" (include/weir/form.h). */
#include <weir/weir.h>

struct options {
    const char *proxy;
    const char *host;
};

const weir_form wrong = WEIR_FORM(struct options, WEIR_TEXT(struct options, proxy),
                                  WEIR_WHEN_TRUE(struct options, proxy, WEIR_TEXT(struct options, host)));
