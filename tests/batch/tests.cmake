# Values and batch files against foreign implementations: Python, openssl, zstd, gzip.
foreach(tool IN ITEMS text_tool file_tool)
    add_executable(batch.${tool} tests/batch/${tool}.c)
    set_target_properties(batch.${tool} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(batch.${tool} PRIVATE tests/batch)
    target_link_libraries(batch.${tool} PRIVATE weir_all)
endforeach()
add_test(NAME batch.text_oracle
    COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/batch/text_oracle.py $<TARGET_FILE:batch.text_tool>)
add_test(NAME batch.file_oracle
    COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/batch/file_oracle.py $<TARGET_FILE:batch.file_tool>)
add_test(NAME batch.facts
    COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/batch/facts.py $<TARGET_FILE:batch.file_tool>)
set_tests_properties(batch.text_oracle batch.file_oracle batch.facts PROPERTIES TIMEOUT 600 LABELS interop)
