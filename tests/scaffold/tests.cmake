# `weir new`, from nothing to rows. Only where connectors are static, as in tests/install.
if(TARGET weir_cli AND TARGET source-files AND NOT WEIR_SANITIZE AND NOT WEIR_COVERAGE)
    add_test(NAME scaffold.new COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/scaffold/scaffold.py
        ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
    set_tests_properties(scaffold.new PROPERTIES TIMEOUT 600 LABELS install)
endif()
