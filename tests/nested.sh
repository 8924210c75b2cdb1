#!/bin/sh
# SPDX-License-Identifier: MIT
# A second build as a test: configures, builds, and runs the tests of some labels there.
#   sh tests/nested.sh FOLDER LABELS [cmake options]
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=jobs/setup.sh
. "$root/jobs/setup.sh"
folder=$1 labels=$2
shift 2

PGB_PYTHON=${PGB_PYTHON_USED:-$PGB_PYTHON}
log=$folder.log
mkdir -p "$(dirname -- "$folder")"
pgb_build "$folder" all "$@" -DPGB_TESTS=ON -DPGB_WERROR=ON -DPGB_NESTED_BUILDS=OFF >"$log" 2>&1 || {
  tail -n 60 "$log"
  echo "the build failed; all of it is in $log"
  exit 1
}
pgb_mpi_environment
# Open MPI, PMIx and hwloc keep memory to the end of the process: not ours (tests/lsan.supp). The slow unwinder sees
# through their frames. With the interceptor of thread-local storage the leak check dies (signal 11) over the plugins that
# MPI has closed, whenever the environment happens to have certain sizes. Memory that was freed is set aside up to 16 MiB
# instead of 256: where page faults are slow, every fresh page of it costs more than the test that touches it.
ASAN_OPTIONS=fast_unwind_on_malloc=0:intercept_tls_get_addr=0:quarantine_size_mb=16:${ASAN_OPTIONS-}
LSAN_OPTIONS=suppressions=$root/tests/lsan.supp:print_suppressions=0:${LSAN_OPTIONS-}
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS-}
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
exec ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(pgb_jobs)" -L "$labels"
