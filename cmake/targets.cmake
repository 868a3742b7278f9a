# Programs: the `weir` command, connectors, unit tests, fuzz targets, benches. Each folder is looked up by name.

# weir_static(TARGET): one static position-independent executable; sanitizers and coverage need a dynamic one.
function(weir_static target)
    if(NOT WEIR_SANITIZE AND NOT WEIR_COVERAGE)
        target_link_options(${target} PRIVATE -static-pie -Wl,--gc-sections)
    endif()
endfunction()

# weir_portable(TARGET): needs nothing but the system's C library, and may open libraries when it runs, which a static
# program cannot. The linker meets a folder with nothing but archives first.
function(weir_portable target)
    if(WEIR_SANITIZE OR WEIR_COVERAGE)
        return()
    endif()
    set(archives ${CMAKE_BINARY_DIR}/archives)
    file(MAKE_DIRECTORY ${archives})
    foreach(name IN LISTS WEIR_EXTERNAL ITEMS sqlite3 sodium utf8proc)
        find_library(WEIR_ARCHIVE_${name} lib${name}.a REQUIRED)
        mark_as_advanced(WEIR_ARCHIVE_${name})
        file(CREATE_LINK ${WEIR_ARCHIVE_${name}} ${archives}/lib${name}.a SYMBOLIC)
    endforeach()
    target_link_directories(${target} PRIVATE ${archives})
    target_link_options(${target} PRIVATE -static-libgcc -Wl,--gc-sections)
endfunction()

if(EXISTS ${CMAKE_SOURCE_DIR}/src/cli/main.c)
    add_executable(weir_cli src/cli/main.c)
    set_target_properties(weir_cli PROPERTIES OUTPUT_NAME weir RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    target_link_libraries(weir_cli PRIVATE weir_all)
    weir_portable(weir_cli)
endif()

# weir_connector(NAME [STATIC] SOURCES... ): a connector on the public headers only, in bin/.
function(weir_connector name)
    cmake_parse_arguments(ARG "STATIC" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    target_link_libraries(${name} PRIVATE weir ${ARG_LIBRARIES})
    if(ARG_STATIC)
        weir_static(${name})
    endif()
    if(CMAKE_CURRENT_SOURCE_DIR MATCHES "/connectors/")
        set_property(GLOBAL APPEND PROPERTY WEIR_CONNECTORS ${name})
    endif()
endfunction()

enable_testing()
find_package(Python3 REQUIRED COMPONENTS Interpreter)

file(GLOB folders CONFIGURE_DEPENDS connectors/*/CMakeLists.txt examples/*/CMakeLists.txt)
foreach(list IN LISTS folders)
    get_filename_component(folder ${list} DIRECTORY)
    add_subdirectory(${folder})
endforeach()

# The demo looks at what landed with a program of its own.
if(TARGET weir_duckdb)
    add_executable(duckdb-query tools/demo/duckdb_query.c)
    set_target_properties(duckdb-query PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin
        BUILD_RPATH "$ORIGIN" BUILD_RPATH_USE_ORIGIN ON)
    target_link_libraries(duckdb-query PRIVATE weir_duckdb)
endif()

# Unit tests: tests/unit/LAYER/NAME_test.c is a cmocka program called LAYER.NAME.
file(GLOB tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/unit/*/*_test.c)
foreach(test IN LISTS tests)
    string(REGEX REPLACE "^tests/unit/(.*)/(.*)_test\\.c$" "\\1.\\2" name ${test})
    add_executable(unit.${name} ${test})
    set_target_properties(unit.${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(unit.${name} PRIVATE tests)
    target_link_libraries(unit.${name} PRIVATE weir_all cmocka)
    add_test(NAME unit.${name} COMMAND unit.${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 600 LABELS unit)
endforeach()

# Fuzz targets: fuzz/NAME_fuzz.c with its corpus in fuzz/corpus/NAME. Always built with a plain main that replays the
# corpus as a test; under the fuzz preset also with libFuzzer.
file(GLOB fuzzers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} fuzz/*_fuzz.c)
foreach(fuzzer IN LISTS fuzzers)
    string(REGEX REPLACE "^fuzz/(.*)_fuzz\\.c$" "\\1" name ${fuzzer})
    add_executable(replay.${name} ${fuzzer} fuzz/replay_main.c)
    set_target_properties(replay.${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(replay.${name} PRIVATE weir_all)
    add_test(NAME fuzz.${name} COMMAND replay.${name} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name}
        ${CMAKE_SOURCE_DIR}/fuzz/regress/${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 600 LABELS fuzz)
    if(WEIR_FUZZ)
        add_executable(fuzz.${name} ${fuzzer})
        set_target_properties(fuzz.${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
        target_link_libraries(fuzz.${name} PRIVATE weir_all)
        target_link_options(fuzz.${name} PRIVATE -fsanitize=fuzzer)
    endif()
endforeach()

# Benches: bench/NAME_bench.c becomes bench.NAME in bin/.
file(GLOB benches CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} bench/*_bench.c)
foreach(bench IN LISTS benches)
    string(REGEX REPLACE "^bench/(.*)_bench\\.c$" "\\1" name ${bench})
    add_executable(bench.${name} ${bench})
    set_target_properties(bench.${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    target_link_libraries(bench.${name} PRIVATE weir_all)
endforeach()

# Larger tests bring their own lists.
file(GLOB lists CONFIGURE_DEPENDS tests/*/tests.cmake bench/*.cmake)
foreach(list IN LISTS lists)
    include(${list})
endforeach()

# House rules as tests.
foreach(check layers style rules exports points)
    add_test(NAME check.${check} COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check-${check})
endforeach()

# unit_tests: all that the sanitizer builds need. With WEIR_SANITIZED_TESTS the tests of build/asan and build/tsan join
# this build's, so that one ctest run counts everything.
# Libraries that come built (DuckDB above all, which has threads of its own) are not instrumented: what TSan sees of them
# is half of the truth, and it is told to pass over it.
option(WEIR_SANITIZED_TESTS "Also run the unit and fuzz tests of build/asan and build/tsan" OFF)
add_custom_target(unit_tests)
foreach(test IN LISTS tests)
    string(REGEX REPLACE "^tests/unit/(.*)/(.*)_test\\.c$" "unit.\\1.\\2" name ${test})
    add_dependencies(unit_tests ${name})
    if(WEIR_SANITIZED_TESTS)
        foreach(sanitizer asan tsan)
            add_test(NAME ${sanitizer}.${name} COMMAND ${CMAKE_SOURCE_DIR}/build/${sanitizer}/tests/${name}
                WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
            set_tests_properties(${sanitizer}.${name} PROPERTIES TIMEOUT 600 LABELS ${sanitizer}
                ENVIRONMENT "TSAN_OPTIONS=ignore_noninstrumented_modules=1")
        endforeach()
    endif()
endforeach()
foreach(fuzzer IN LISTS fuzzers)
    string(REGEX REPLACE "^fuzz/(.*)_fuzz\\.c$" "\\1" name ${fuzzer})
    add_dependencies(unit_tests replay.${name})
    if(WEIR_SANITIZED_TESTS)
        add_test(NAME asan.fuzz.${name} COMMAND ${CMAKE_SOURCE_DIR}/build/asan/tests/replay.${name}
            ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name} ${CMAKE_SOURCE_DIR}/fuzz/regress/${name})
        set_tests_properties(asan.fuzz.${name} PROPERTIES TIMEOUT 600 LABELS asan)
    endif()
endforeach()

# A whole sync under the sanitizers: engine, source and destination, each in its own process.
add_dependencies(unit_tests weir_cli source-files destination-sqlite)
if(WEIR_SANITIZED_TESTS)
    foreach(sanitizer asan tsan)
        add_test(NAME ${sanitizer}.files.sync COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/files/files.py
            ${CMAKE_SOURCE_DIR}/build/${sanitizer}/bin)
        set_tests_properties(${sanitizer}.files.sync PROPERTIES TIMEOUT 600 LABELS ${sanitizer})
    endforeach()
endif()
