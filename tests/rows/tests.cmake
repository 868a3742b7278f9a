# Rows read back from stores for the testers, against the stores' own programs.
if(TARGET weir_cli)
    add_executable(rows_tool ${CMAKE_SOURCE_DIR}/tests/rows/rows_tool.c)
    set_target_properties(rows_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(rows_tool PRIVATE weir_all)
    add_test(NAME rows.stores COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/rows/rows.py
        $<TARGET_FILE:rows_tool> ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(rows.stores PROPERTIES TIMEOUT 600)
endif()
