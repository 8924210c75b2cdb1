# SPDX-License-Identifier: MIT
# One test for each line of a .def file: what every class owes (conformance.c), and what the source tree owes.
# Included by tests/CMakeLists.txt.
add_executable(conformance ${CMAKE_CURRENT_SOURCE_DIR}/conformance.c ${CMAKE_CURRENT_SOURCE_DIR}/conformance_score.c)
target_link_libraries(conformance PRIVATE ${all_layers})
target_include_directories(conformance PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})

foreach(list IN ITEMS "env envs/envs.def" "policy src/policy/policies.def" "estimator src/estimator/estimators.def"
                      "baseline src/baseline/baselines.def")
  separate_arguments(list)
  list(GET list 0 kind)
  list(GET list 1 def)
  string(TOUPPER ${kind} macro)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${def})
  file(STRINGS ${PROJECT_SOURCE_DIR}/${def} lines REGEX "^PGB_${macro}\\(")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^PGB_${macro}\\(([a-z0-9_]+)\\).*" "\\1" name "${line}")
    add_test(NAME conformance_${kind}_${name} COMMAND conformance ${kind} ${name})
    set_tests_properties(conformance_${kind}_${name} PROPERTIES LABELS "conformance;sanitize" TIMEOUT 600)
  endforeach()
endforeach()

add_test(NAME layers COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/layers.sh ${PROJECT_BINARY_DIR})
add_test(NAME vectorised COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/vectorised.sh ${PROJECT_BINARY_DIR})
set_tests_properties(layers vectorised PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 120)
