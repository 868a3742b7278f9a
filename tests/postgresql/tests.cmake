# The PostgreSQL connectors over gRPC against a private server, see README.md.
set(postgresql_tests source_types_test source_sync_test capture_test destination_test destination_model_test
    destination_cut_test)
if(TARGET weir_cli)
    list(APPEND postgresql_tests sync_test capture_sync_test)
endif()
if(TARGET source-postgresql AND TARGET destination-postgresql)
    foreach(module IN LISTS postgresql_tests)
        string(REGEX REPLACE "_test$" "" name ${module})
        add_test(NAME postgresql.${name} COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/postgresql/main.py ${module}
            ${CMAKE_BINARY_DIR}/bin ${WEIR_DESCRIPTORS})
        set_tests_properties(postgresql.${name} PROPERTIES TIMEOUT 600 LABELS postgresql)
    endforeach()
endif()

# The numbers' fuzz target needs the connectors' code, which is no part of the library.
foreach(target replay.postgresql_numeric fuzz.postgresql_numeric)
    if(TARGET ${target})
        target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/shared-postgresql/numeric.c)
    endif()
endforeach()

# So does the decoder's.
foreach(target replay.postgresql_pgoutput fuzz.postgresql_pgoutput)
    if(TARGET ${target})
        target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/source-postgresql/pgoutput.c
            ${CMAKE_SOURCE_DIR}/connectors/source-postgresql/array.c)
        target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/shared-postgresql)
    endif()
endforeach()
