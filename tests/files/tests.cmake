# source-files end to end.
if(NOT WEIR_SANITIZE)
    add_test(NAME files.sync COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/files/files.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(files.sync PROPERTIES TIMEOUT 600 LABELS files)
endif()

# The scanners' fuzz targets need the connector's code, which is no part of the library.
foreach(format json csv)
    foreach(target replay.files_${format} fuzz.files_${format})
        if(TARGET ${target})
            target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/source-files/${format}_text.c)
        endif()
    endforeach()
endforeach()
