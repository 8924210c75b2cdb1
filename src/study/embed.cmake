# SPDX-License-Identifier: MIT
# Writes a C file that defines pgb_named_studies[] from study files:
#   cmake -DOUT=named_studies.c "-DSTUDIES=a.yaml;b.yaml" -P embed.cmake
# The texts travel as numbers: a string literal may end at 4095 bytes (C99), and CMake's lists break at ; and [.
cmake_minimum_required(VERSION 3.18)

if(NOT OUT OR NOT STUDIES)
  message(FATAL_ERROR "embed.cmake: OUT or STUDIES is missing; call it with -DOUT=FILE.c -DSTUDIES=a.yaml;b.yaml")
endif()

# ",61,62" -> "0x61,0x62,0x00" in lines of 16 numbers
function(to_initialiser tokens variable)
  string(REGEX REPLACE ",(..)" "0x\\1," numbers "${tokens}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
                       "\\1\n  " numbers "${numbers}")
  set(${variable} "${numbers}0x00" PARENT_SCOPE)
endfunction()

set(arrays "")
set(entries "")
set(count 0)
foreach(study IN LISTS STUDIES)
  get_filename_component(name "${study}" NAME_WLE)
  if(NOT name MATCHES "^[A-Za-z0-9_-]+$")
    message(FATAL_ERROR "${study}: the name of a study has letters, digits, - and _ only; rename the file")
  endif()
  file(READ "${study}" hex HEX)
  string(REGEX REPLACE "(..)" ",\\1" tokens "${hex}")
  if(tokens MATCHES ",00")
    message(FATAL_ERROR "${study}: holds a NUL byte; it must be text")
  endif()
  # after the SPDX line: "# " and all up to the end of the line
  if(NOT tokens MATCHES "^,23,20,53,50,44,58((,[1-9a-f][0-9a-f]|,0[1-9b-f])*),0a,23,20((,[1-9a-f][0-9a-f]|,0[1-9b-f])+)")
    message(FATAL_ERROR "${study}: must begin with an SPDX line and a comment line, the title; add them")
  endif()
  to_initialiser("${CMAKE_MATCH_3}" title)
  to_initialiser("${tokens}" text)
  string(APPEND arrays "static const unsigned char title_${count}[] = {\n  ${title}};\n"
                       "static const unsigned char text_${count}[] = {\n  ${text}};\n")
  string(APPEND entries
         "  {\"${name}\", (const char *)title_${count}, (const char *)text_${count}},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE "${OUT}" "/* SPDX-License-Identifier: MIT */\n/* Written by src/study/embed.cmake from benchmarks/studies. */\n"
     "#include \"study/study.h\"\n\n${arrays}\nconst pgb_named_study pgb_named_studies[] = {\n${entries}"
     "  {0, 0, 0},\n};\n")
