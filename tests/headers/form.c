/* The form of headers.cc: every kind of macro once, as C11. */
#include "form.h"

const weir_form tests_form = WEIR_FORM(
    struct options, WEIR_TEXT(struct options, host), WEIR_TOGGLE(struct options, proxy),
    WEIR_WHEN_TRUE(struct options, proxy, WEIR_TEXT(struct options, proxy_host),
                   WEIR_WHEN_EMPTY(struct options, proxy_host, WEIR_REAL(struct options, factor))),
    WEIR_WHEN_IS(struct options, host, "localhost", WEIR_UPLOAD(struct options, authorities)));
