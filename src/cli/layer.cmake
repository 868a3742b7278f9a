# The files that `weir new` writes, as an array.
file(GLOB_RECURSE templates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/templates/*)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/generated/templates.c
    COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tools/gen-templates ${CMAKE_SOURCE_DIR}/templates
        ${CMAKE_BINARY_DIR}/generated/templates.c
    DEPENDS ${templates} ${CMAKE_SOURCE_DIR}/tools/gen-templates VERBATIM)
list(APPEND WEIR_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/generated/templates.c)
