# The table of powers of ten for data/number. WEIR_PYTHON comes from cmake/generated.cmake.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/generated/data/pow10.c
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated/data
    COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tools/gen-pow10 ${CMAKE_BINARY_DIR}/generated/data/pow10.c
    DEPENDS ${CMAKE_SOURCE_DIR}/tools/gen-pow10 VERBATIM)
list(APPEND WEIR_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/generated/data/pow10.c)
