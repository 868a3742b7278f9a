# What `cmake --install` and ./do install put where:
#
#   bin/weir                          the command
#   include/weir/*.h                  all that a connector includes
#   lib/libweir.a, lib/libweir.so.N   libweir; the shared one exports what cmake/libweir.exports lists, nothing else
#   lib/pkgconfig/weir.pc             pkg-config --cflags --libs weir, with --static for a static connector
#   lib/cmake/weir                    find_package(weir)
#   lib/weir                          our own connectors, and libraries that are opened on demand
#   share                             manual pages, completion scripts, share/weir/input-file.schema.json
#
# The build folder itself serves as a package, too: -D weir_DIR=build/release.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# --- libweir.so: hidden by default, and held to the committed list by a version script ---
set(exports ${CMAKE_SOURCE_DIR}/cmake/libweir.exports)
set(version_script ${CMAKE_BINARY_DIR}/generated/libweir.map)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${exports})
file(STRINGS ${exports} names REGEX "^[a-z]")
list(JOIN names ";\n" names)
file(CONFIGURE OUTPUT ${version_script} CONTENT "WEIR_@PROJECT_VERSION_MAJOR@ {\nglobal:\n@names@;\nlocal:\n*;\n};\n" @ONLY)

add_library(weir_shared SHARED)
foreach(name IN LISTS WEIR_LIBRARY_LAYERS)
    if(TARGET layer_${name})
        target_sources(weir_shared PRIVATE $<TARGET_OBJECTS:layer_${name}>)
    endif()
endforeach()
set_target_properties(weir_shared PROPERTIES OUTPUT_NAME weir EXPORT_NAME weir LINKER_LANGUAGE C
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${version_script})
target_include_directories(weir_shared INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(weir_shared PRIVATE ${WEIR_EXTERNAL} Threads::Threads)
target_link_options(weir_shared PRIVATE -Wl,--version-script=${version_script})
if(NOT WEIR_SANITIZE)
    target_link_options(weir_shared PRIVATE -Wl,--no-undefined -Wl,-z,relro,-z,now)
endif()
set_target_properties(weir PROPERTIES EXPORT_NAME weir_static)

install(TARGETS weir weir_shared EXPORT weirTargets)
install(DIRECTORY include/weir TYPE INCLUDE FILES_MATCHING PATTERN "*.h")

# --- pkg-config: found from its own place, so a moved installation still works ---
file(RELATIVE_PATH WEIR_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" WEIR_PC_PREFIX "\${pcfiledir}/${WEIR_PC_PREFIX}")
list(TRANSFORM WEIR_EXTERNAL PREPEND -l OUTPUT_VARIABLE WEIR_PC_PRIVATE)
list(JOIN WEIR_PC_PRIVATE " " WEIR_PC_PRIVATE)
string(APPEND WEIR_PC_PRIVATE " -lpthread")
configure_file(cmake/package/weir.pc.in package/weir.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# --- find_package(weir) ---
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
configure_package_config_file(cmake/package/weirConfig.cmake.in ${CMAKE_BINARY_DIR}/weirConfig.cmake
    INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/package/weirConnector.cmake weirConnector.cmake COPYONLY)
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_folder})
install(FILES ${CMAKE_BINARY_DIR}/weirConfig.cmake ${CMAKE_BINARY_DIR}/weirConfigVersion.cmake
    cmake/package/weirConnector.cmake DESTINATION ${package_folder})
export(EXPORT weirTargets NAMESPACE weir:: FILE ${CMAKE_BINARY_DIR}/weirTargets.cmake)

# --- the command, its manual pages and completion scripts, our connectors ---
if(TARGET weir_cli)
    set(pages ${CMAKE_BINARY_DIR}/share)
    add_custom_command(OUTPUT ${pages}/made
        COMMAND ${CMAKE_COMMAND} -D WEIR=$<TARGET_FILE:weir_cli> -D FOLDER=${pages}
            -P ${CMAKE_SOURCE_DIR}/cmake/pages.cmake
        DEPENDS weir_cli ${CMAKE_SOURCE_DIR}/cmake/pages.cmake VERBATIM)
    add_custom_target(weir_pages ALL DEPENDS ${pages}/made)
    install(TARGETS weir_cli)
    install(DIRECTORY ${pages}/ TYPE DATA PATTERN made EXCLUDE)
endif()
install(FILES docs/man/libweir.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
install(FILES docs/reference/input-file.schema.json DESTINATION share/weir)
get_property(connectors GLOBAL PROPERTY WEIR_CONNECTORS)
foreach(connector IN LISTS connectors)
    install(TARGETS ${connector} RUNTIME DESTINATION lib/weir)
endforeach()
if(EXISTS ${CMAKE_BINARY_DIR}/bin/libduckdb.so)
    install(FILES ${CMAKE_BINARY_DIR}/bin/libduckdb.so DESTINATION lib/weir)
endif()
