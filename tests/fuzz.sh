#!/bin/sh
# SPDX-License-Identifier: MIT
# The fuzzers of tests/fuzz over the readers of studies, options, theta files, checkpoints and result files, with address
# and undefined-behaviour sanitizers, built by clang.
#   sh tests/fuzz.sh [seconds]     so many seconds for each reader, e.g. 3600; without: a short fixed number of inputs
# What a reader stumbles over is left in build/fuzz/found; make it a case of the reader's unit test.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
seconds=${1-}
case $seconds in
*[!0-9]* | 0)
  echo "fuzz.sh: seconds $seconds: not a positive number; give for instance 3600" >&2
  exit 2
  ;;
esac
build=${PGB_FUZZ_BUILD:-$root/build/fuzz}

command -v clang >/dev/null 2>&1 || {
  echo "fuzz.sh: clang is not installed: skipped"
  exit 77
}
mkdir -p "$build"
echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d == 0 && n == 1; }' >"$build/probe.c"
clang -fsanitize=fuzzer "$build/probe.c" -o "$build/probe" >/dev/null 2>&1 || {
  echo "fuzz.sh: this clang has no libFuzzer (Debian: libclang-rt-dev of its version): skipped"
  exit 77
}
if ! { cmake -S "$root" -B "$build" -DPGB_FUZZ=ON -DPGB_MPI=OFF -DPGB_WERROR=ON -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_C_FLAGS=-O1 -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ &&
  cmake --build "$build" -j 2; } >"$build/log" 2>&1; then
  tail -n 40 "$build/log"
  echo "fuzz.sh: the build failed; all of it is in $build/log" >&2
  exit 1
fi

# Where each reader starts from: what it reads in earnest.
seeds() {
  mkdir -p "$build/corpus/$1"
  case $1 in
  study) cp "$root"/benchmarks/studies/*.yaml "$build/corpus/study" ;;
  options) cp "$root"/tests/fuzz/options/* "$build/corpus/options" ;;
  part) # the bare checkpoints; merge: a part with a byte changed
    for first in 0 1 2 3 4 5 6 7; do printf '%b' "\\0$first" >"$build/corpus/part/$first"; done
    ;;
  merge) printf '\0\0\20\0\1' >"$build/corpus/merge/byte" ;;
  *)
    "${PGB_PYTHON:-/usr/bin/python3}" - "$build/corpus/$1" <<'PYTHON' || echo "fuzz.sh: no h5py: $1 starts from nothing" >&2
import sys
import h5py
import numpy as np

for name, values, options in (("plain", np.arange(6.0), {}), ("packed", np.arange(40, dtype="f4"), {"chunks": (8,), "compression": "gzip"})):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as file:
        file.create_dataset("theta", data=values, **options)
PYTHON
    ;;
  esac
}

# Whether a child process (src/io/probe.h) was ended by a fault of ours: a sanitizer's report whose first frame, but for
# the sanitizer's own, is in src/. Faults of libhdf5 are what the child is for.
ours() {
  for report in "$@"; do
    [ -f "$report" ] || continue
    if grep -q 'runtime error' "$report" ||
      grep '^ *#' "$report" | grep -v -e interceptor -e __asan -e __sanitizer | head -n 1 | grep -q "$root/src/"; then
      cat "$report"
      return 0
    fi
  done
  return 1
}

failed=''
for program in "$build"/tests/fuzz/fuzz_*; do
  if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
  reader=${program##*/fuzz_}
  seeds "$reader"
  mkdir -p "$build/found"
  # A folder of mine for what it learns, so that the seeds stay as they are.
  mkdir -p "$build/learnt/$reader"
  words=''
  inputs=10000
  leaks=1
  case $reader in
  study | options) words=-dict=$root/tests/fuzz/study.dict ;;
  part) inputs=300 ;;
  file) inputs=300 leaks=0 ;; # libhdf5 loses memory over such files
  merge) inputs=50 leaks=0 ;;
  esac
  limit=-runs=$inputs
  [ -z "$seconds" ] || limit=-max_total_time=$seconds
  rm -f "$build/found/$reader-report".*
  # shellcheck disable=SC2086
  if ! ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1:quarantine_size_mb=16:log_path="$build/found/$reader-report" \
    "$program" $words "$limit" -seed=1 -timeout=20 -rss_limit_mb=4096 -max_len=4096 \
    -artifact_prefix="$build/found/$reader-" "$build/learnt/$reader" "$build/corpus/$reader" >"$build/$reader.log" 2>&1; then
    failed="$failed $reader"
    tail -n 30 "$build/$reader.log"
    cat "$build/found/$reader-report".* 2>/dev/null || true
  elif ours "$build/found/$reader-report".*; then
    failed="$failed $reader"
  else
    rm -f "$build/found/$reader-"* # of child processes: they were meant to end so
    echo "$reader: $(grep -o 'Done .*' "$build/$reader.log"), $(grep -o 'cov: [0-9]*' "$build/$reader.log" | tail -n 1)"
  fi
done
[ -z "$failed" ] || {
  echo "fuzz.sh: found something in:$failed; the inputs are in $build/found" >&2
  exit 1
}
