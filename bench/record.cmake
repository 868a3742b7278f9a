# The C++ peer of bench.record, where libprotobuf is installed.
pkg_check_modules(PROTOBUF protobuf)
if(PROTOBUF_FOUND AND TARGET bench.record AND NOT WEIR_SANITIZE)
    set(peer ${CMAKE_BINARY_DIR}/generated/cpp)
    file(MAKE_DIRECTORY ${peer})
    set(peer_sources ${peer}/v2_common.pb.cc ${peer}/v2_source.pb.cc)
    add_custom_command(OUTPUT ${peer_sources}
        COMMAND ${WEIR_PROTOC} -I ${CMAKE_SOURCE_DIR}/protocol --cpp_out=${peer}
            ${CMAKE_SOURCE_DIR}/protocol/v2_common.proto ${CMAKE_SOURCE_DIR}/protocol/v2_source.proto
        DEPENDS ${protos} VERBATIM)
    # Foreign code: no warnings of ours, and as optimised as ours.
    add_library(bench_record_peer STATIC ${CMAKE_SOURCE_DIR}/bench/record_protobuf.cc ${peer_sources})
    target_compile_options(bench_record_peer PRIVATE -w)
    target_include_directories(bench_record_peer SYSTEM PRIVATE ${peer} ${PROTOBUF_INCLUDE_DIRS})
    target_include_directories(bench_record_peer PRIVATE ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(bench_record_peer PUBLIC ${PROTOBUF_LINK_LIBRARIES})
    target_compile_definitions(bench.record PRIVATE WEIR_BENCH_PROTOBUF)
    target_link_libraries(bench.record PRIVATE bench_record_peer)
endif()
