# Finds libweir: weir::weir_static is the library, weir_connector() makes a static executable. Looked at, in this order:
#
#   1. WEIR_SDK, from the command line or the environment: an installation of Weir, a folder that it was built in, or
#      its source tree, of which libweir is then built
#   2. .weir/sdk, which `make build_dependencies` builds from WEIR_SDK_URL
#   3. the folder noted in .weir/path when this project was made; not committed, for it is of one machine only
#   4. what the system offers: CMake's package, then pkg-config
set(WEIR_SDK "" CACHE STRING "Where libweir is")
set(weir_place "${WEIR_SDK}")
set(weir_named "WEIR_SDK")
if(NOT weir_place)
    set(weir_place "$ENV{WEIR_SDK}")
endif()
if(NOT weir_place AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/.weir/sdk)
    set(weir_place ${CMAKE_CURRENT_SOURCE_DIR}/.weir/sdk)
    set(weir_named ".weir/sdk")
endif()
if(NOT weir_place AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/.weir/path)
    file(READ ${CMAKE_CURRENT_SOURCE_DIR}/.weir/path weir_place)
    string(STRIP "${weir_place}" weir_place)
    set(weir_named ".weir/path")
endif()

unset(weir_DIR CACHE)
if(weir_place)
    get_filename_component(weir_place "${weir_place}" ABSOLUTE)
    find_package(weir QUIET PATHS ${weir_place} ${weir_place}/build/release NO_DEFAULT_PATH)
    if(NOT weir_FOUND AND EXISTS ${weir_place}/include/weir/weir.h AND EXISTS ${weir_place}/CMakeLists.txt)
        set(weir_made ${CMAKE_CURRENT_SOURCE_DIR}/build/weir)
        if(NOT EXISTS ${weir_made})
            execute_process(COMMAND ${CMAKE_COMMAND} -D SOURCE=${weir_place} -D PREFIX=${weir_made}
                -P ${CMAKE_CURRENT_LIST_DIR}/build-weir.cmake COMMAND_ERROR_IS_FATAL ANY)
        endif()
        find_package(weir QUIET PATHS ${weir_made} NO_DEFAULT_PATH)
    endif()
    if(NOT weir_FOUND AND NOT weir_named STREQUAL ".weir/path")
        message(FATAL_ERROR "${weir_named} is '${weir_place}', but there is no libweir in it. It is to be a folder that Weir "
            "was installed to, a folder that it was built in, or its source tree.")
    endif()
endif()
if(NOT weir_FOUND)
    find_package(weir QUIET)
endif()
if(NOT weir_FOUND)
    # An installation without CMake's package: the same library and the same function, made here.
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
        pkg_check_modules(WEIR QUIET weir)
    endif()
    if(NOT WEIR_FOUND)
        message(FATAL_ERROR "libweir was not found. One of these helps:\n"
            "  make build_connector WEIR_SDK=/path    where Weir was installed or built, or its source tree\n"
            "  make build_dependencies WEIR_SDK_URL=https://…    builds libweir from a git repository of Weir\n"
            "  PKG_CONFIG_PATH=/path/lib/pkgconfig    when it is installed where pkg-config does not look")
    endif()
    string(REPLACE "-lweir" "-l:libweir.a" WEIR_STATIC_LDFLAGS "${WEIR_STATIC_LDFLAGS}")
    add_library(weir::weir_static INTERFACE IMPORTED)
    target_include_directories(weir::weir_static INTERFACE ${WEIR_STATIC_INCLUDE_DIRS})
    target_link_libraries(weir::weir_static INTERFACE ${WEIR_STATIC_LDFLAGS})
    function(weir_connector name)
        cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
        add_executable(${name} ${ARG_SOURCES})
        set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
        target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} weir::weir_static)
        target_link_options(${name} PRIVATE -static-pie -Wl,--gc-sections)
    endfunction()
endif()
