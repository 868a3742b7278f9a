/* Must not compile: an option member of another type than its field (include/weir/form.h). */
#include <weir/weir.h>

struct options {
    int rows;
};

const weir_form wrong = WEIR_FORM(struct options, WEIR_INTEGER(struct options, rows));
