/* hello-source's definition for a test in C++, which cannot initialise it. */
int hello_main(int argc, char **argv);
#define main hello_main
#include "../../examples/hello-source/main.c"
#undef main

extern const weir_source hello_definition;
const weir_source hello_definition = {
    .name = "hello",
    .form = WEIR_FORM(struct options, WEIR_PASSWORD(struct options, api_key, .required = true),
                      WEIR_INTEGER(struct options, rows, .fallback = "3")),
    WEIR_TABLES(&greetings),
    .update = update,
};
