# Sources made from protocol/: structs and tables for src/wire, and the schema for server reflection.
find_program(WEIR_PROTOC protoc REQUIRED)
# The distribution's Python is asked first: it is the one that has the protobuf package.
find_program(WEIR_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(WEIR_PYTHON python3 REQUIRED)

set(generated ${CMAKE_BINARY_DIR}/generated/wire)
set(gen_codec ${CMAKE_SOURCE_DIR}/tools/gen-codec)
file(MAKE_DIRECTORY ${generated})
file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/protocol/*.proto)

# The descriptor set of protocol/, imports included; tests read it too.
set(WEIR_DESCRIPTORS ${generated}/schema.bin)
add_custom_command(OUTPUT ${WEIR_DESCRIPTORS}
    COMMAND ${WEIR_PROTOC} -I ${CMAKE_SOURCE_DIR}/protocol --include_imports
        --descriptor_set_out=${WEIR_DESCRIPTORS} ${protos}
    DEPENDS ${protos} VERBATIM)

set(WEIR_WIRE_GENERATED "")
foreach(pair IN ITEMS fivetran_sdk.v2=v2 grpc.health.v1=health grpc.reflection.v1=reflection)
    string(REGEX MATCH "^(.*)=(.*)$" _ ${pair})
    set(package ${CMAKE_MATCH_1})
    set(prefix ${CMAKE_MATCH_2})
    add_custom_command(OUTPUT ${generated}/${prefix}.h ${generated}/${prefix}.c
        COMMAND ${WEIR_PYTHON} ${gen_codec} structs ${WEIR_DESCRIPTORS} ${package} ${prefix}
            ${generated}/${prefix}.h ${generated}/${prefix}.c
        DEPENDS ${WEIR_DESCRIPTORS} ${gen_codec} VERBATIM)
    list(APPEND WEIR_WIRE_GENERATED ${generated}/${prefix}.c)
endforeach()
add_custom_command(OUTPUT ${generated}/schema.c
    COMMAND ${WEIR_PYTHON} ${gen_codec} schema ${WEIR_DESCRIPTORS} ${generated}/schema.c
    DEPENDS ${WEIR_DESCRIPTORS} ${gen_codec} VERBATIM)
list(APPEND WEIR_WIRE_GENERATED ${generated}/schema.c)

add_custom_target(weir_generated DEPENDS ${WEIR_DESCRIPTORS} ${WEIR_WIRE_GENERATED})
