# The installation as its users see it. Only where connectors are static: sanitized and measured builds are not shipped.
if(TARGET weir_cli AND NOT WEIR_SANITIZE AND NOT WEIR_COVERAGE)
    add_test(NAME install.product COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/install/install.py
        ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
    set_tests_properties(install.product PROPERTIES TIMEOUT 600 LABELS install)
endif()
