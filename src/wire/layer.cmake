# Tables made from protocol/ by cmake/generated.cmake.
list(APPEND WEIR_GENERATED_SOURCES ${WEIR_WIRE_GENERATED})
