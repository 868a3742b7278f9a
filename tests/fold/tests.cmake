# Folding, proved: operations folded and loaded into the model against operations applied one by one.
# Longer: `./do model --fold`.
add_executable(fold_proof tests/fold/proof.c tests/fold/landing.c tests/fold/oracle.c)
set_target_properties(fold_proof PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(fold_proof PRIVATE weir_all)
add_test(NAME fold.proof COMMAND fold_proof --length 5 --all 3 --replay 3 --random 5000)
add_test(NAME fold.history COMMAND fold_proof --history 1 --length 5 --all 3 --replay 3 --random 5000)
set_tests_properties(fold.proof fold.history PROPERTIES TIMEOUT 600 LABELS "unit")
