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
pgb_build "$root/build/test" all -DCMAKE_BUILD_TYPE=Release -DPGB_TESTS=ON -DPGB_WERROR=ON -DPGB_NESTED_BUILDS=ON \
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
pgb_mpi_environment
# One more at a time than there are cores: some tests wait, for Slurm or for a kill.
exec ctest --test-dir "$root/build/test" --output-on-failure --no-tests=error -j "$(($(pgb_jobs) + 1))" "$@"
