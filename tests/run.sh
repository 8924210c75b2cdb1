#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test: installs what is missing, builds with warnings as errors, runs ctest.
#
#   sh tests/run.sh [ctest options]     e.g.  sh tests/run.sh -L unit
#
# Builds in build/test of this tree. The builds with sanitizers and without MPI are tests among the others
# (label `build`), so that ctest's summary, the last thing printed, counts everything.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=jobs/setup.sh
. "$root/jobs/setup.sh"

pgb_setup test || exit 2
# The builds with and without MPI differ in few files, and convict.sh takes back each bug that it plants: what was compiled
# once from the same text with the same flags is taken from here. CMake reads the launcher from the environment.
if command -v ccache >/dev/null 2>&1; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_DIR="$root/build/test/ccache" CCACHE_DEPEND=1
fi
pgb_build "$root/build/test" all -DCMAKE_BUILD_TYPE=Release -DPGB_TESTS=ON -DPGB_WERROR=ON -DPGB_NESTED_BUILDS=ON \
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
pgb_mpi_environment
# Two more at a time than there are cores: some tests wait, for Slurm, a kill or the start of ranks.
exec ctest --test-dir "$root/build/test" --output-on-failure --no-tests=error -j "$(($(pgb_jobs) + 2))" "$@"
