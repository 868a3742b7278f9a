# The public headers: clean in C11 and C++17, and misuse does not compile.
foreach(language c cc)
    add_executable(headers.${language} ${CMAKE_SOURCE_DIR}/tests/headers/headers.${language})
    set_target_properties(headers.${language} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(headers.${language} PRIVATE ${CMAKE_SOURCE_DIR}/include)
    add_test(NAME headers.${language} COMMAND headers.${language})
endforeach()
add_test(NAME headers.wrong_option COMMAND ${CMAKE_C_COMPILER} -std=c11 -I${CMAKE_SOURCE_DIR}/include -fsyntax-only
    ${CMAKE_SOURCE_DIR}/tests/headers/wrong_option.c)
set_tests_properties(headers.wrong_option PROPERTIES WILL_FAIL TRUE)
