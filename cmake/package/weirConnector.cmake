# weir_connector(NAME SOURCES file... [LIBRARIES library...] [SHARED]): an executable of one connector.
#
# As it comes it is one static file that needs nothing else where it runs. SHARED links libweir.so and everything else
# dynamically; so does a build with sanitizers, which cannot be static.
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
            # --no-warnings: that names are looked up through the system's own libraries is as it should be.
            include(CheckLinkerFlag)
            check_linker_flag(C "-Wl,--no-warnings" WEIR_LINKER_IS_QUIET)
            target_link_options(${name} PRIVATE -static-pie -Wl,--gc-sections
                $<$<BOOL:${WEIR_LINKER_IS_QUIET}>:-Wl,--no-warnings>)
        endif()
    endif()
endfunction()
