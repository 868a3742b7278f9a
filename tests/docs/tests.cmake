# The documentation: its blocks of C compile, its scripts run, its links lead somewhere; the reference is what the headers say,
# and the connectors' pages what the connectors are.
add_test(NAME check.reference COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/gen-reference --check)
if(NOT WEIR_SANITIZE)
    add_test(NAME docs.pages COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check-docs ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(docs.pages PROPERTIES TIMEOUT 600)
    add_test(NAME docs.connectors COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check-connectors ${CMAKE_BINARY_DIR}/bin)
endif()
