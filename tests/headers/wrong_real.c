/* Must not compile: a real number is a double (include/weir/form.h). */
#include <weir/weir.h>

struct options {
    float factor;
};

const weir_form wrong = WEIR_FORM(struct options, WEIR_REAL(struct options, factor));
