# The layers: src/NAME/**.c becomes the object library layer_NAME; weir_program_layer() may add what only programs need.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(NGHTTP2 REQUIRED libnghttp2)
pkg_check_modules(ZSTD REQUIRED libzstd)
pkg_check_modules(ZLIB REQUIRED zlib)
pkg_check_modules(CRYPTO REQUIRED libcrypto)
pkg_check_modules(JANSSON REQUIRED jansson)
pkg_check_modules(SQLITE REQUIRED sqlite3)

# What a connector is made of, and what only the platform's own program links.
set(WEIR_LIBRARY_LAYERS base data wire batch model sys rpc sdk harness)
set(WEIR_PROGRAM_LAYERS engine tester cli)
set(WEIR_EXTERNAL nghttp2 zstd z crypto jansson)

# layer(NAME): an object library of all C files of src/NAME, generated ones included.
function(weir_layer name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
    set(WEIR_GENERATED_SOURCES "")
    if(EXISTS ${CMAKE_SOURCE_DIR}/src/${name}/layer.cmake)
        include(${CMAKE_SOURCE_DIR}/src/${name}/layer.cmake) # may append to WEIR_GENERATED_SOURCES
    endif()
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    if(NOT sources AND NOT WEIR_GENERATED_SOURCES)
        return()
    endif()
    add_library(layer_${name} OBJECT ${sources} ${WEIR_GENERATED_SOURCES})
    target_include_directories(layer_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
        ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(layer_${name} PUBLIC Threads::Threads)
    if(TARGET weir_generated)
        add_dependencies(layer_${name} weir_generated)
    endif()
endfunction()

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
include(cmake/generated.cmake OPTIONAL)
foreach(name IN LISTS WEIR_LIBRARY_LAYERS WEIR_PROGRAM_LAYERS)
    weir_layer(${name})
endforeach()

add_library(weir STATIC)
foreach(name IN LISTS WEIR_LIBRARY_LAYERS)
    if(TARGET layer_${name})
        target_sources(weir PRIVATE $<TARGET_OBJECTS:layer_${name}>)
    endif()
endforeach()
set_target_properties(weir PROPERTIES LINKER_LANGUAGE C)
target_include_directories(weir PUBLIC ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(weir PUBLIC ${WEIR_EXTERNAL} Threads::Threads)

# For programs and tests of the project itself: libweir plus the engine and the commands, with the private headers.
add_library(weir_all STATIC)
foreach(name IN LISTS WEIR_PROGRAM_LAYERS)
    if(TARGET layer_${name})
        target_sources(weir_all PRIVATE $<TARGET_OBJECTS:layer_${name}>)
    endif()
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/generated/empty.c "typedef int weir_empty;\n")
target_sources(weir_all PRIVATE ${CMAKE_BINARY_DIR}/generated/empty.c)
target_include_directories(weir_all PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
    ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(weir_all PUBLIC weir sqlite3 m ${CMAKE_DL_LIBS})
