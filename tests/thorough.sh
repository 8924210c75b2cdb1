#!/bin/sh
# SPDX-License-Identifier: MIT
# The checks that take longer than a test may, by hand or by night:
#   sh tests/thorough.sh valgrind    a run on two ranks and the memory walk under valgrind
#   sh tests/thorough.sh tsan        a run on two ranks under ThreadSanitizer (MPI's own threads are there)
#   sh tests/thorough.sh ranks       the same bits on 64 ranks
#   sh tests/thorough.sh fuzz [seconds]   an hour of fuzzing each reader
# Builds in build/thorough-<check>. Suppressions: tests/valgrind.supp (what Open MPI and PMIx keep or hand to the
# kernel half-filled).
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=jobs/setup.sh
. "$root/jobs/setup.sh"
check=${1-}
build=$root/build/thorough-$check

# A run that meets every environment, estimator and baseline; valgrind knows no AVX-512.
small() {
  "$@" "$build/pgbench" --simd avx2 --replicates 4 --batch 1,4 --quiet --force -o "$build/thorough.h5"
}

case $check in
valgrind)
  command -v valgrind >/dev/null || {
    echo "thorough.sh: valgrind is not installed; apt-get install valgrind" >&2
    exit 2
  }
  pgb_build "$build" all -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DPGB_BENCHMARKS=OFF
  pgb_mpi_environment
  set -- valgrind -q --keep-debuginfo=yes --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite --suppressions="$root/tests/valgrind.supp"
  "$@" "$build/tests/test_memory" >/dev/null
  small mpirun --oversubscribe -n 2 "$@"
  ;;
tsan)
  pgb_build "$build" pgbench -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS='-O1 -fsanitize=thread' \
    -DCMAKE_EXE_LINKER_FLAGS=-fsanitize=thread -DPGB_BENCHMARKS=OFF -DPGB_TESTS=OFF
  pgb_mpi_environment
  # Open MPI's TCP transport takes two locks in either order; ranks of one machine do without it.
  OMPI_MCA_btl=vader,self TSAN_OPTIONS=exitcode=66 small mpirun --oversubscribe -n 2
  ;;
ranks)
  pgb_build "$build" all -DPGB_BENCHMARKS=OFF -DPGB_TESTS=ON
  PGB_TEST_RANKS=64 ctest --test-dir "$build" --output-on-failure -R '^program_ranks$'
  ;;
fuzz) exec sh "$root/tests/fuzz.sh" "${2:-3600}" ;;
*)
  echo "thorough.sh: which check? one of: valgrind, tsan, ranks, fuzz" >&2
  exit 2
  ;;
esac
echo "thorough.sh: $check found nothing"
