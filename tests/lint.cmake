# SPDX-License-Identifier: MIT
# Static checks, the Python package's tests and the other builds, as tests among the tests. Included by
# tests/CMakeLists.txt. A check whose tool is missing says so and counts as skipped (77).
option(PGB_NESTED_BUILDS "Tests that build again with sanitizers and without MPI (tests/run.sh turns them on)" OFF)

foreach(check IN ITEMS format shell tidy cppcheck report)
  add_test(NAME lint_${check} COMMAND sh "${PROJECT_SOURCE_DIR}/tests/lint.sh" ${check} "${PROJECT_BINARY_DIR}")
  set_tests_properties(lint_${check} PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 600
    ENVIRONMENT "PGB_PYTHON=${Python3_EXECUTABLE}")
endforeach()
set_tests_properties(lint_tidy PROPERTIES PROCESSORS 2 COST 100)

if(PGB_NESTED_BUILDS)
  add_test(NAME build_sanitized
    COMMAND sh "${PROJECT_SOURCE_DIR}/tests/nested.sh" "${PROJECT_BINARY_DIR}/sanitize" "unit|sanitize"
      -DPGB_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DCMAKE_C_FLAGS_DEBUG=-g1 -DPGB_BENCHMARKS=OFF)
  add_test(NAME build_without_mpi
    COMMAND sh "${PROJECT_SOURCE_DIR}/tests/nested.sh" "${PROJECT_BINARY_DIR}/no-mpi" "unit|alone"
      -DPGB_MPI=OFF -DCMAKE_BUILD_TYPE=Release -DPGB_BENCHMARKS=OFF)
  set_tests_properties(build_sanitized build_without_mpi PROPERTIES LABELS build PROCESSORS 2 COST 200 TIMEOUT 1800
    ENVIRONMENT "PGB_PYTHON_USED=${Python3_EXECUTABLE}")
  set_property(TEST build_sanitized APPEND PROPERTY LABELS sanitize)
endif()
