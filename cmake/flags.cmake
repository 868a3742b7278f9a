# Compiler flags for everything of ours. Assertions stay on in every build (they guard against programmers' errors).
add_compile_definitions(_GNU_SOURCE WEIR_VERSION="${PROJECT_VERSION}" WEIR_DATE="${WEIR_DATE}")
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow $<$<NOT:$<BOOL:${WEIR_SDK_ONLY}>>:-Werror> -fno-omit-frame-pointer
    $<$<COMPILE_LANGUAGE:C>:-Wconversion> $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wno-missing-field-initializers>
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>)
if(WEIR_FAULT_POINTS)
    add_compile_definitions(WEIR_FAULT_POINTS) # base/point.h
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_definitions(WEIR_POISON) # what was borrowed and is no longer valid is overwritten
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
endif()
if(WEIR_SANITIZE)
    add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${WEIR_SANITIZE})
endif()
if(WEIR_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
if(WEIR_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
