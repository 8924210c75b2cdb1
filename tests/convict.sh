#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows that the verdict convicts: plants one bug at a time in a copy of the source and expects `pgbench verify` to
# say INVALID with exit code 3, and VALID without a bug. Usage: sh tests/convict.sh [PYTHON]; needs cmake and a C
# compiler, says so (77: skipped) where they are missing. The ddof of the variance summary, n - 1 over replicates,
# changes a trace by 1/R, far below what any honest z-score may convict, so its unit test must fail instead; the ddof
# that matters to a user, N - 1 episodes of a batch in loo and normalised, is convicted by verify at batch 2.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=${1:-/usr/bin/python3}
command -v cmake >/dev/null 2>&1 || {
  echo "skipped: cmake is not installed; jobs/setup.sh has the packages"
  exit 77
}

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 1' HUP INT TERM
source=$room/source
build=$room/build
mkdir "$source"
for part in CMakeLists.txt LICENSE README.md analysis benchmarks envs jobs src tests; do
  cp -R "$root/$part" "$source/$part"
done

# One instruction set, no MPI, little optimisation: only the verdict counts here.
sed -i 's/x86_64|AMD64|amd64/no-vector-kernels/' "$source/CMakeLists.txt"
make_it() {
  cmake --build "$build" -j2 --target pgbench test_stats >"$room/log" 2>&1 || {
    cat "$room/log"
    echo "convict: the copy does not build${bug:+ with the bug: $bug}"
    exit 1
  }
}
cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DPGB_MPI=OFF -DPGB_BENCHMARKS=OFF \
  -DPGB_TESTS=ON -DPython3_EXECUTABLE="$python" >"$room/log" 2>&1 || {
  cat "$room/log"
  echo "convict: the copy cannot be configured"
  exit 1
}

failed=0
verify() {
  code=0
  line=$("$build/pgbench" verify --quiet --replicates 16384 2>&1) || code=$?
}

expect() { # code, first word, what
  case "$code $line" in
  "$1 $2:"*) echo "ok: $3: $line" ;;
  *)
    echo "FAILED: $3: expected exit code $1 and $2, got $code and: $line"
    failed=1
    ;;
  esac
}

# plant NAME FILE SED: builds the copy with the bug; a pattern that is gone is an error of this script.
plant() {
  bug=$1
  cp "$root/$2" "$room/original"
  sed "$3" "$room/original" >"$source/$2"
  if cmp -s "$room/original" "$source/$2"; then
    echo "convict: the pattern of \"$bug\" no longer occurs in $2; bring this script up to date"
    exit 1
  fi
  make_it
}

heal() { # FILE
  cp "$root/$1" "$source/$1"
  bug=
}

convict() { # NAME FILE SED
  plant "$1" "$2" "$3"
  verify
  expect 3 INVALID "$1"
  heal "$2"
}

bug=
make_it
verify
expect 0 VALID "without a bug"

convict "gpomdp without gamma^t" src/estimator/discount.h 's/before\[i\] \* gamma;/before[i];/'
convict "loo over N instead of N - 1" src/baseline/loo.c 's,(double)b->n - 1;,(double)b->n;,'
convict "normalised with ddof 0" src/baseline/normalised.c 's,b->rr / (n - 1),b->rr / n,'
convict "episode left out of the address" src/rollout/loop.c 's/(uint32_t)number;/0;/'
convict "the step draws the action's words" src/core/rng.h 's/PGB_USE_STEP = 3/PGB_USE_STEP = 2/'
convict "oracle: loo over N instead of N - 1" src/oracle/batch.c 's,/ (size - 1)),/ size),'

plant "variance summary with ddof 0" src/stats/summary.c 's,variance\[k\] / (n - 1),variance[k] / n,'
code=0
"$build/tests/test_stats" >"$room/log" 2>&1 || code=$?
line="FAIL: test_stats: $(tail -n 1 "$room/log")"
expect 1 FAIL "variance summary with ddof 0"
exit "$failed"
