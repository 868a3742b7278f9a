# source-files end to end.
if(NOT WEIR_SANITIZE)
    add_test(NAME files.sync COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/files/files.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(files.sync PROPERTIES TIMEOUT 600 LABELS files)
endif()

# As on a machine with more processors.
get_target_property(sources source-files SOURCES)
list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/connectors/source-files/)
add_executable(source-files-shared ${sources})
set_target_properties(source-files-shared PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_definitions(source-files-shared PRIVATE SCAN_SHARES=5)
target_link_libraries(source-files-shared PRIVATE weir jansson)
add_test(NAME files.shared COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/files/files.py ${CMAKE_BINARY_DIR}/bin
    $<TARGET_FILE:source-files-shared> large)
set_tests_properties(files.shared PROPERTIES TIMEOUT 600 LABELS files)

# The scanners' fuzz targets need the connector's code, which is no part of the library.
foreach(format json csv)
    foreach(target replay.files_${format} fuzz.files_${format})
        if(TARGET ${target})
            target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/source-files/${format}_text.c)
        endif()
    endforeach()
endforeach()
