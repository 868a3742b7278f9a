/*
 * cli/templates: what `weir new` writes. The array is made from the folder templates/, whose README says what
 * is put in for the names between @.
 */
#ifndef WEIR_CLI_TEMPLATES_H
#define WEIR_CLI_TEMPLATES_H

#include <weir/base.h>

typedef struct template_file {
    const char *kind; /* "common": for every kind */
    const char *path; /* in the project */
    weir_bytes text;
} template_file;

extern const template_file template_files[];
extern const size_t template_file_count;

#endif
