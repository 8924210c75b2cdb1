# SPDX-License-Identifier: MIT
# What `cmake --install` puts into a prefix that may be moved afterwards: program, library with headers, CMake package,
# pkg-config file, man pages, completion, studies, job templates, modulefile. Included by the root CMakeLists.txt.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(to_config ${CMAKE_INSTALL_LIBDIR}/cmake/pgbench)
set(from ${CMAKE_CURRENT_LIST_DIR})

# One library of all layers but the command line.
set(objects "")
foreach(layer IN ITEMS core stats comm io env policy rollout estimator baseline oracle study)
  list(APPEND objects $<TARGET_OBJECTS:pgb_${layer}>)
  foreach(isa IN LISTS PGB_ISAS)
    if(TARGET pgb_${layer}_${isa})
      list(APPEND objects $<TARGET_OBJECTS:pgb_${layer}_${isa}>)
    endif()
  endforeach()
endforeach()
add_library(pgbench_library STATIC ${objects})
set_target_properties(pgbench_library PROPERTIES OUTPUT_NAME pgbench EXPORT_NAME pgbench LINKER_LANGUAGE C)

# Flags that keep the functions in line of core/vmath.h to the same bits; all that a plugin needs.
add_library(pgbench_plugin INTERFACE)
set_target_properties(pgbench_plugin PROPERTIES EXPORT_NAME plugin)
target_include_directories(pgbench_plugin INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/pgbench>)
target_compile_options(pgbench_plugin INTERFACE ${PGB_FLOAT})
target_link_libraries(pgbench_library INTERFACE
  pgbench_plugin $<INSTALL_INTERFACE:PkgConfig::PGBENCH_YAML> $<INSTALL_INTERFACE:pgbench::hdf5>
  $<$<BOOL:${PGB_MPI}>:$<INSTALL_INTERFACE:MPI::MPI_C>> ${CMAKE_DL_LIBS} m)

install(TARGETS pgbench)
install(TARGETS pgbench_plugin EXPORT pgbenchPlugin)
install(TARGETS pgbench_library EXPORT pgbenchLibrary)
install(EXPORT pgbenchPlugin NAMESPACE pgbench:: DESTINATION ${to_config})
install(EXPORT pgbenchLibrary NAMESPACE pgbench:: DESTINATION ${to_config})
configure_package_config_file(${from}/pgbenchConfig.cmake.in ${CMAKE_BINARY_DIR}/install/pgbenchConfig.cmake
                              INSTALL_DESTINATION ${to_config} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/install/pgbenchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/install/pgbenchConfig.cmake ${CMAKE_BINARY_DIR}/install/pgbenchConfigVersion.cmake
        DESTINATION ${to_config})

# Headers say in their second line whom they are for; those for maintainers stay here.
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*/*.h)
foreach(header IN LISTS headers)
  file(STRINGS ${header} audience LIMIT_COUNT 2 REGEX "^/\\* For (users of the library|authors of environments)")
  if(audience)
    get_filename_component(layer ${header} DIRECTORY)
    get_filename_component(layer ${layer} NAME)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pgbench/${layer})
  endif()
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/src/env/plugin.syms DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pgbench/env)

# pgb_link_words(out file...): -L and -l of libraries given by path. Libraries that the shared HDF5 brings along itself
# are left out.
function(pgb_link_words out)
  set(words "")
  foreach(file IN LISTS ARGN)
    get_filename_component(folder ${file} DIRECTORY)
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "^lib(.*)\\.(so|a)[.0-9]*$" "-l\\1" word ${name})
    if(NOT IS_ABSOLUTE ${file} AND NOT file MATCHES "^-")
      set(word -l${file})
    elseif(IS_ABSOLUTE ${file} AND NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
      list(APPEND words -L${folder})
    endif()
    list(APPEND words ${word})
  endforeach()
  list(REMOVE_DUPLICATES words)
  string(JOIN " " words ${words})
  set(${out} ${words} PARENT_SCOPE)
endfunction()
set(files ${HDF5_HL_LIBRARIES} ${HDF5_LIBRARIES})
if(HDF5_C_LIBRARY_hdf5 MATCHES "\\.so$")
  list(FILTER files INCLUDE REGEX "hdf5")
endif()
if(PGB_MPI)
  list(APPEND files ${MPI_C_LIBRARIES})
endif()
pgb_link_words(PGB_PC_LIBS ${files} ${CMAKE_DL_LIBS} m)
string(JOIN " " PGB_PC_CFLAGS ${PGB_FLOAT})
foreach(folder IN ITEMS LIBDIR INCLUDEDIR BINDIR DATADIR MANDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    message(FATAL_ERROR "CMAKE_INSTALL_${folder} is absolute; give it from the prefix on, so that the tree can be moved")
  endif()
endforeach()
file(RELATIVE_PATH PGB_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" PGB_UP ${PGB_UP})
configure_file(${from}/pgbench.pc.in ${CMAKE_BINARY_DIR}/install/pgbench.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/install/pgbench.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

string(TIMESTAMP today "%Y-%m-%d" UTC) # SOURCE_DATE_EPOCH, where a packager sets it

# Man page and completion come out of the tables that the program reads, through a program of their own.
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
  add_executable(pgbench_manual ${PROJECT_SOURCE_DIR}/src/cli/manual.c)
  target_link_libraries(pgbench_manual PRIVATE pgb_cli)
  set(pages ${CMAKE_BINARY_DIR}/install/pgbench.1 ${CMAKE_BINARY_DIR}/install/pgbench)
  add_custom_command(OUTPUT ${pages} COMMAND pgbench_manual ${today} ${pages} DEPENDS pgbench_manual VERBATIM)
  add_custom_target(pgbench_pages ALL DEPENDS ${pages})
  install(FILES ${CMAKE_BINARY_DIR}/install/pgbench.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/install/pgbench DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()

# The same of pgbench-report, by its own parser; left out where its packages are missing.
if(Python3_Interpreter_FOUND)
  set(package ${PROJECT_SOURCE_DIR}/analysis/pgbench_report)
  set(python ${CMAKE_COMMAND} -E env PYTHONPATH=${PROJECT_SOURCE_DIR}/analysis PYTHONDONTWRITEBYTECODE=1
             ${Python3_EXECUTABLE})
  execute_process(COMMAND ${python} -c "import pgbench_report.manual" RESULT_VARIABLE lacks ERROR_QUIET)
  if(lacks EQUAL 0)
    set(pages ${CMAKE_BINARY_DIR}/install/pgbench-report.1 ${CMAKE_BINARY_DIR}/install/pgbench-report)
    add_custom_command(OUTPUT ${pages} COMMAND ${python} -m pgbench_report.manual ${today} ${PROJECT_VERSION} ${pages}
                       DEPENDS ${package}/manual.py ${package}/cli.py VERBATIM)
    add_custom_target(pgbench_report_pages ALL DEPENDS ${pages})
    install(FILES ${CMAKE_BINARY_DIR}/install/pgbench-report.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${CMAKE_BINARY_DIR}/install/pgbench-report
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  else()
    message(STATUS "pgbench-report: no man page, its Python packages are missing (jobs/setup.sh names them)")
  endif()
endif()

# The modulefile finds the tree from its own place and takes its version from its name, as modules do.
file(RELATIVE_PATH PGB_DATA_UP /${CMAKE_INSTALL_DATADIR}/pgbench /)
configure_file(jobs/packaging/modulefile.in ${CMAKE_BINARY_DIR}/install/modulefile @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/install/modulefile DESTINATION ${CMAKE_INSTALL_DATADIR}/pgbench/modulefiles/pgbench
        RENAME ${PROJECT_VERSION})

install(DIRECTORY benchmarks/studies jobs DESTINATION ${CMAKE_INSTALL_DATADIR}/pgbench)
install(DIRECTORY analysis/pgbench_report DESTINATION ${CMAKE_INSTALL_DATADIR}/pgbench/analysis
        PATTERN __pycache__ EXCLUDE)
install(PROGRAMS analysis/pgbench-report DESTINATION ${CMAKE_INSTALL_BINDIR})
