/* Must not compile: an upload is bytes, not a text (include/weir/form.h). */
#include <weir/weir.h>

struct options {
    const char *certificate;
};

const weir_form wrong = WEIR_FORM(struct options, WEIR_UPLOAD(struct options, certificate));
