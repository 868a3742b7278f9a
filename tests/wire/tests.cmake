# The codecs against Python's protobuf, and the schema against its table of facts.
add_executable(codec_driver tests/wire/codec_driver.c)
set_target_properties(codec_driver PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(codec_driver PRIVATE weir_all)

add_test(NAME wire.schema COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/wire/schema_test.py
    ${WEIR_DESCRIPTORS} ${CMAKE_SOURCE_DIR}/protocol/v2.tsv)
add_test(NAME wire.codec COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/wire/codec_test.py
    $<TARGET_FILE:codec_driver> ${WEIR_DESCRIPTORS} 20251 150)
add_test(NAME wire.record COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/wire/record_test.py
    $<TARGET_FILE:codec_driver> ${WEIR_DESCRIPTORS} 20252 6000)
set_tests_properties(wire.schema wire.codec wire.record PROPERTIES TIMEOUT 600 LABELS wire)
