# The oracle against a second one in Python: every short sequence of requests, and random longer ones.
add_executable(model_driver tests/model/driver.c)
set_target_properties(model_driver PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(model_driver PRIVATE weir_all)
add_test(NAME model.oracle
    COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/model/model_test.py $<TARGET_FILE:model_driver>)
set_tests_properties(model.oracle PROPERTIES TIMEOUT 600 LABELS interop)
