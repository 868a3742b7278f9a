# The PostgreSQL connectors over gRPC against a private server, see README.md.
if(TARGET source-postgresql AND TARGET destination-postgresql)
    foreach(module source_types_test source_sync_test destination_test
        destination_model_test)
        string(REGEX REPLACE "_test$" "" name ${module})
        add_test(NAME postgresql.${name} COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/postgresql/main.py ${module}
            ${CMAKE_BINARY_DIR}/bin ${WEIR_DESCRIPTORS})
        set_tests_properties(postgresql.${name} PROPERTIES TIMEOUT 300 LABELS postgresql)
    endforeach()
endif()
