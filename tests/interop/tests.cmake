# Interoperability with foreign gRPC programs: docs/internals/interop.md. They are fetched and built once, in
# WEIR_INTEROP_PEERS, which every preset shares; without a network each test says SKIP and why.
set(WEIR_INTEROP_PEERS ${CMAKE_SOURCE_DIR}/build/interop-peers CACHE PATH "Where the foreign peers are built")
find_program(WEIR_PYTHON python3)

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/interop/program/*.c)
if(sources)
    add_executable(weir_interop ${sources})
    set_target_properties(weir_interop PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    target_include_directories(weir_interop PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(weir_interop PRIVATE weir)
endif()

# weir_interop_test(NAME SECONDS WORDS...): one run of the driver. Peers are built by fixtures, the rest uses them.
function(weir_interop_test name seconds)
    math(EXPR limit "4 * ${seconds}") # of a quiet machine; a busy one is several times slower
    add_test(NAME interop.${name} COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/interop/run.py
        --peers ${WEIR_INTEROP_PEERS} --bin ${CMAKE_BINARY_DIR}/bin --results ${CMAKE_BINARY_DIR}/interop-results
        ${ARGN})
    set_tests_properties(interop.${name} PROPERTIES TIMEOUT ${limit} LABELS interop SKIP_RETURN_CODE 77)
endfunction()

function(weir_interop_needs name)
    list(TRANSFORM ARGN PREPEND interop_)
    set_tests_properties(interop.${name} PROPERTIES FIXTURES_REQUIRED "${ARGN}")
endfunction()

foreach(kind go python node java)
    weir_interop_test(peers.${kind} 900 peers ${kind})
    set_tests_properties(interop.peers.${kind} PROPERTIES FIXTURES_SETUP interop_${kind})
endforeach()

if(TARGET weir_interop)
    foreach(kind go python node java)
        weir_interop_test(cases.${kind} 300 --built-only cases ${kind})
        weir_interop_needs(cases.${kind} ${kind})
    endforeach()
    weir_interop_test(h2spec 300 --built-only h2spec)
    weir_interop_needs(h2spec go)
endif()
if(TARGET source-files)
    weir_interop_test(grpcurl 120 --built-only grpcurl)
    weir_interop_needs(grpcurl go)
endif()
if(TARGET source-files AND TARGET destination-sqlite)
    foreach(kind python node)
        weir_interop_test(connectors.${kind} 300 --built-only connectors ${kind})
        weir_interop_needs(connectors.${kind} ${kind})
    endforeach()
    if(TARGET weir_cli)
        weir_interop_test(engine 300 --built-only engine)
        weir_interop_needs(engine python)
    endif()
endif()
