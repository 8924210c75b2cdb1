# SPDX-License-Identifier: MIT
# Writes OUT with what the build knows of itself, only when something changed:
#   cmake -DOUT=pgb_build.h -DSOURCE=tree -DVERSION=... -DCOMPILER=... -DFLAGS=... -P build_info.cmake
set(commit "unknown")
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE head RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(commit ${head})
    execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no
                    OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      string(APPEND commit "-dirty")
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
