# weir_connector(NAME SOURCES file... [LIBRARIES library...] [SHARED]): an executable of one connector.
#
# As it comes it is one static file that needs nothing else where it runs. The linker warns of getaddrinfo in statically
# linked applications, and rightly: names of hosts are looked up by the system's own libraries. SHARED links libweir.so
# and everything else dynamically; so does a build with sanitizers, which cannot be static.
function(weir_connector name)
    cmake_parse_arguments(ARG "SHARED" "" "SOURCES;LIBRARIES" ${ARGN})
    if(NOT ARG_SOURCES OR ARG_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "weir_connector(${name} ...) takes SOURCES, LIBRARIES and SHARED")
    endif()
    add_executable(${name} ${ARG_SOURCES})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # Libraries of the connector come first: a static link is read from left to right.
    if(ARG_SHARED)
        target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} weir::weir)
    else()
        target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} weir::weir_static)
        if(NOT "${CMAKE_C_FLAGS} ${CMAKE_EXE_LINKER_FLAGS}" MATCHES "-fsanitize|--coverage")
            target_link_options(${name} PRIVATE -static-pie -Wl,--gc-sections)
        endif()
    endif()
endfunction()
