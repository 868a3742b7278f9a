# Builds libweir out of a source tree of Weir and installs it: cmake -D SOURCE=tree -D PREFIX=folder -P this file.
get_filename_component(SOURCE "${SOURCE}" ABSOLUTE)
get_filename_component(PREFIX "${PREFIX}" ABSOLUTE)
message(STATUS "building libweir of ${SOURCE}")
foreach(step IN ITEMS
    "-S;${SOURCE};-B;${PREFIX}-build;-DCMAKE_BUILD_TYPE=Release;-DWEIR_SDK_ONLY=ON;-DCMAKE_INSTALL_PREFIX=${PREFIX};-DCMAKE_INSTALL_LIBDIR=lib"
    "--build;${PREFIX}-build;--parallel"
    "--install;${PREFIX}-build")
    execute_process(COMMAND ${CMAKE_COMMAND} ${step} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
