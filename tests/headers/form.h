/* A form for a C++ connector: the struct is seen by both languages, the table is C (include/weir/form.h). */
#ifndef TESTS_HEADERS_FORM_H
#define TESTS_HEADERS_FORM_H

#include <weir/form.h>

struct options {
    const char *host;
    bool proxy;
    const char *proxy_host;
    weir_bytes authorities;
    double factor;
};

#ifdef __cplusplus
extern "C" {
#endif

extern const weir_form tests_form;

#ifdef __cplusplus
}
#endif

#endif
