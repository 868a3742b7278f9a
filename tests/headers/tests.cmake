# The public headers: clean in C11 and C++17, and misuse does not compile.
set(headers ${CMAKE_SOURCE_DIR}/tests/headers)
add_executable(headers.c ${headers}/headers.c)
add_executable(headers.cc ${headers}/headers.cc ${headers}/form.c)
foreach(language c cc)
    set_target_properties(headers.${language} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(headers.${language} PRIVATE ${CMAKE_SOURCE_DIR}/include)
    add_test(NAME headers.${language} COMMAND headers.${language})
endforeach()

# Each wrong_NAME.c is one mistake; the compiler must complain about it and not about something else.
file(GLOB mistakes CONFIGURE_DEPENDS ${headers}/wrong_*.c)
foreach(mistake IN LISTS mistakes)
    get_filename_component(name ${mistake} NAME_WE)
    add_test(NAME headers.${name} COMMAND ${CMAKE_C_COMPILER} -std=c11 -Wall -Werror -I${CMAKE_SOURCE_DIR}/include
        -c ${mistake} -o /dev/null)
    set_tests_properties(headers.${name} PROPERTIES PASS_REGULAR_EXPRESSION
        "_Generic|generic association|no member named|ignoring return value")
endforeach()
