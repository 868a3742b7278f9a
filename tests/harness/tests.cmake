# The in-process harness on real connectors, and on ones that are wrong on purpose.
function(weir_harness_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(harness.${name} ${CMAKE_SOURCE_DIR}/tests/harness/${name}_test.c ${ARG_SOURCES})
    set_target_properties(harness.${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(harness.${name} PRIVATE weir m ${ARG_LIBRARIES})
    add_test(NAME harness.${name} COMMAND harness.${name} --folder ${CMAKE_SOURCE_DIR}/tests/harness)
    set_tests_properties(harness.${name} PROPERTIES TIMEOUT 600 LABELS unit)
    if(EXISTS /dev/shm) # stores that sync their files need no disk here
        set_tests_properties(harness.${name} PROPERTIES ENVIRONMENT TMPDIR=/dev/shm)
    endif()
endfunction()

weir_harness_test(hello)
set(sqlite ${CMAKE_SOURCE_DIR}/connectors/destination-sqlite)
file(GLOB sqlite_sources CONFIGURE_DEPENDS ${sqlite}/*.c)
list(FILTER sqlite_sources EXCLUDE REGEX "/main\\.c$")
weir_harness_test(sqlite SOURCES ${sqlite_sources} LIBRARIES weir_shared_sql sqlite3 m ${CMAKE_DL_LIBS})
# Looks at what the harness has told, so it sees the private headers.
weir_harness_test(wrong)
target_include_directories(harness.wrong PRIVATE ${CMAKE_SOURCE_DIR}/src)
# The runner itself.
add_executable(harness.runner_sample ${CMAKE_SOURCE_DIR}/tests/harness/runner_sample.c)
set_target_properties(harness.runner_sample PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(harness.runner_sample PRIVATE weir m)
add_test(NAME harness.runner COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/harness/runner_check.py
    $<TARGET_FILE:harness.runner_sample>)
set_tests_properties(harness.runner PROPERTIES TIMEOUT 600 LABELS unit)
# The header in C++17.
add_executable(harness.cplusplus ${CMAKE_SOURCE_DIR}/tests/harness/cplusplus_test.cc
    ${CMAKE_SOURCE_DIR}/tests/harness/hello_definition.c)
set_target_properties(harness.cplusplus PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(harness.cplusplus PRIVATE weir m)
add_test(NAME harness.cplusplus COMMAND harness.cplusplus)
set_tests_properties(harness.cplusplus PROPERTIES LABELS unit)
weir_harness_test(model)
target_include_directories(harness.model PRIVATE ${CMAKE_SOURCE_DIR}/src)
