# SPDX-License-Identifier: MIT
# Writes OUT with what the build knows of itself, only when something changed:
#   cmake -DOUT=pgb_build.h -DSOURCE=tree -DVERSION=... -DCOMPILER=... -DFLAGS=... -P build_info.cmake
# Where the commit does not tell the sources, their checksum does: two such builds may not go on with each
# other's checkpoints.
file(GLOB_RECURSE files LIST_DIRECTORIES false ${SOURCE}/src/* ${SOURCE}/envs/* ${SOURCE}/benchmarks/studies/*)
list(SORT files)
set(sums "")
foreach(file IN LISTS files)
  file(SHA256 ${file} sum)
  string(APPEND sums ${sum})
endforeach()
string(SHA256 tree "${sums}")
string(SUBSTRING ${tree} 0 12 tree)
set(commit "unknown-${tree}")
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE head RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(commit ${head})
    execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no
                    OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      string(APPEND commit "-dirty-${tree}")
    endif()
  endif()
endif()
string(REPLACE "\\" "\\\\" FLAGS "${FLAGS}")
string(REPLACE "\"" "\\\"" FLAGS "${FLAGS}")
set(text "/* SPDX-License-Identifier: MIT */
#define PGB_VERSION    \"${VERSION}\"
#define PGB_GIT_COMMIT \"${commit}\"
#define PGB_COMPILER   \"${COMPILER}\"
#define PGB_FLAGS      \"${FLAGS}\"
")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${OUT} "${text}")
endif()
